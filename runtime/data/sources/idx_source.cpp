#include "runtime/data/sources/idx_source.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/idx_file.h"

namespace negatron {

namespace {

enum class Content { kImages, kLabels };

constexpr std::string_view kPacked = ".gz";

/// The ends of names that a file of this kind may have, the usual one first.
std::vector<std::string> usual_endings(DataPart part, Content content) {
  const std::vector<std::string> parts =
      part == DataPart::kTrain ? std::vector<std::string>{"train"} : std::vector<std::string>{"t10k", "test"};
  const std::vector<std::string> dimensions =
      content == Content::kImages ? std::vector<std::string>{"3", "4", "2"} : std::vector<std::string>{"1"};
  std::vector<std::string> endings;
  for (const std::string& name : parts) {
    for (const std::string& count : dimensions) {
      for (const char* separator : {"-", "."}) {
        endings.push_back(name + (content == Content::kImages ? "-images" : "-labels") + separator + "idx" + count +
                          "-ubyte");
      }
    }
  }
  return endings;
}

std::string_view without_packing(std::string_view name) {
  return name.ends_with(kPacked) ? name.substr(0, name.size() - kPacked.size()) : name;
}

/// The files of a folder that are of this kind, in the order of their names; the plain one before the packed.
std::vector<std::filesystem::path> found_files(const std::filesystem::path& directory, DataPart part, Content content) {
  const std::vector<std::string> endings = usual_endings(part, content);
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto fits = [&](const std::string& ending) { return without_packing(name).ends_with(ending); };
    if (std::any_of(endings.begin(), endings.end(), fits)) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The one file of this kind; an empty path when there is none.
std::filesystem::path find_file(const std::filesystem::path& directory, DataPart part, Content content) {
  const std::vector<std::filesystem::path> found = found_files(directory, part, content);
  if (found.empty()) return {};
  const std::string first = found.front().string(), last = found.back().string();
  if (without_packing(first) != without_packing(last)) {
    throw DataError("Data directory '" + directory.string() + "' holds both '" + found.front().filename().string() +
                    "' and '" + found.back().filename().string() + "'; give a folder with the files of one data set.");
  }
  return found.front();
}

/// The number of dimensions is in the name: "...idx3-ubyte".
int dimensions_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return name[name.rfind("idx") + 3] - '0';
}

/// As [N, C, H, W].
at::Tensor as_images(const at::Tensor& images, const std::filesystem::path& path) {
  const auto is_channels = [](std::int64_t size) { return size == 1 || size == 3; };
  if (images.dim() == 3) return images.unsqueeze(1);
  if (images.dim() == 2) {
    const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(images.size(1)))));
    const bool is_square = side * side == images.size(1);
    return is_square ? images.view({-1, 1, side, side}) : images.view({-1, 1, 1, images.size(1)});
  }
  if (is_channels(images.size(3))) return images.permute({0, 3, 1, 2}).contiguous();
  if (is_channels(images.size(1))) return images;
  throw DataError("Data file '" + path.string() + "' has " + std::to_string(images.size(1)) + " or " +
                  std::to_string(images.size(3)) + " channels, expected 1 or 3.");
}

ImagesInMemory read_part(const std::filesystem::path& directory, DataPart part) {
  const std::filesystem::path images_path = find_file(directory, part, Content::kImages);
  if (images_path.empty()) {
    const std::string usual = usual_endings(part, Content::kImages).front();
    throw DataError("Data directory '" + directory.string() + "' holds neither " + usual + " nor " + usual +
                    ".gz; give the folder of the IDX files with --data.");
  }
  const at::Tensor images = as_images(read_idx(images_path, dimensions_of(images_path)), images_path);
  const std::filesystem::path labels_path = find_file(directory, part, Content::kLabels);
  if (labels_path.empty()) return ImagesInMemory(images);
  const at::Tensor labels = read_idx(labels_path, 1);  // [N]
  // Files of two data sets, or of the train and the test part, that were mixed show up here.
  if (images.size(0) != labels.size(0)) {
    throw DataError("Data file '" + images_path.string() + "' holds " + std::to_string(images.size(0)) +
                    " images, but '" + labels_path.string() + "' holds " + std::to_string(labels.size(0)) + " labels.");
  }
  return ImagesInMemory(images, labels.to(at::kLong));
}

}  // namespace

IdxSource::IdxSource(const std::filesystem::path& directory, DataPart part)
    : ImagesInMemory(read_part(directory, part)), directory_(directory), part_(part) {}

SourceDescription IdxSource::describe() {
  return {"idx", "a folder of train-images-idx3-ubyte and the other files of MNIST's format, plain or .gz"};
}

bool IdxSource::recognises(const std::filesystem::path& path) {
  for (const DataPart part : {DataPart::kTrain, DataPart::kTest}) {
    for (const Content content : {Content::kImages, Content::kLabels}) {
      if (!found_files(path, part, content).empty()) return true;
    }
  }
  return false;
}

std::shared_ptr<const ImageSource> IdxSource::test_part() const {
  if (part_ == DataPart::kTest || find_file(directory_, DataPart::kTest, Content::kImages).empty()) return nullptr;
  return std::make_shared<const IdxSource>(directory_, DataPart::kTest);
}

}  // namespace negatron
