#include "runtime/data/idx_source.h"

#include <string>
#include <system_error>

#include "runtime/data/data_error.h"
#include "runtime/data/idx_file.h"

namespace negatron {

namespace {

constexpr const char* kImages = "-images-idx3-ubyte";
constexpr const char* kLabels = "-labels-idx1-ubyte";

const char* prefix_of(DataPart part) {
  return part == DataPart::kTrain ? "train" : "t10k";
}

/// `name` or `name`.gz, whichever is there, the plain one first; an empty path when neither is.
std::filesystem::path existing_file(const std::filesystem::path& directory, const std::string& name) {
  std::error_code error;
  for (const std::filesystem::path& path : {directory / name, directory / (name + ".gz")}) {
    if (std::filesystem::exists(path, error)) return path;
  }
  return {};
}

std::filesystem::path find_file(const std::filesystem::path& directory, const std::string& name) {
  std::filesystem::path path = existing_file(directory, name);
  if (!path.empty()) return path;
  throw DataError("Data directory '" + directory.string() + "' holds neither " + name + " nor " + name +
                  ".gz; give the folder of the four IDX files with --data.");
}

void check_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  throw DataError("Data directory '" + directory.string() +
                  "' does not exist; install the Debian package dataset-fashion-mnist, or give the folder of the "
                  "four IDX files with --data.");
}

ImagesInMemory read_part(const std::filesystem::path& directory, DataPart part) {
  check_directory(directory);
  const std::filesystem::path images_path = find_file(directory, std::string(prefix_of(part)) + kImages);
  const std::filesystem::path labels_path = find_file(directory, std::string(prefix_of(part)) + kLabels);
  const at::Tensor images = read_idx(images_path, 3);  // [N, H, W]
  const at::Tensor labels = read_idx(labels_path, 1);  // [N]
  // Files of two data sets, or of the train and the test part, that were mixed show up here.
  if (images.size(0) != labels.size(0)) {
    throw DataError("Data file '" + images_path.string() + "' holds " + std::to_string(images.size(0)) +
                    " images, but '" + labels_path.string() + "' holds " + std::to_string(labels.size(0)) + " labels.");
  }
  // IDX images have no channel: [N, H, W] -> [N, 1, H, W].
  return ImagesInMemory(images.unsqueeze(1), labels.to(at::kLong));
}

}  // namespace

IdxSource::IdxSource(const std::filesystem::path& directory, DataPart part)
    : ImagesInMemory(read_part(directory, part)), directory_(directory), part_(part) {}

bool IdxSource::recognises(const std::filesystem::path& path) {
  for (const DataPart part : {DataPart::kTrain, DataPart::kTest}) {
    for (const char* kind : {kImages, kLabels}) {
      if (!existing_file(path, std::string(prefix_of(part)) + kind).empty()) return true;
    }
  }
  return false;
}

std::shared_ptr<const ImageSource> IdxSource::test_part() const {
  if (part_ == DataPart::kTest) return nullptr;
  return std::make_shared<const IdxSource>(directory_, DataPart::kTest);
}

}  // namespace negatron
