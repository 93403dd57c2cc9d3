#include "runtime/data/sources/cifar_source.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "runtime/data/data_error.h"

namespace negatron {
namespace {

constexpr std::int64_t kCifarSide = 32;
constexpr std::int64_t kCifarPixels = 3 * kCifarSide * kCifarSide;
/// Records that are read together when their labels are wanted.
constexpr std::int64_t kRecordsAtATime = 1000;

constexpr const char* kHundredTrain = "train.bin";
constexpr const char* kHundredTest = "test.bin";
constexpr const char* kTenTest = "test_batch.bin";

bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

/// data_batch_1.bin, data_batch_2.bin, ... as far as they go.
std::vector<std::filesystem::path> ten_batches(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  while (true) {
    std::filesystem::path next = folder / ("data_batch_" + std::to_string(paths.size() + 1) + ".bin");
    if (!is_file(next)) return paths;
    paths.push_back(std::move(next));
  }
}

/// The names beside the images, one a line; none where they are fewer than the labels.
std::vector<std::string> read_names(const std::filesystem::path& path, std::int64_t classes) {
  std::vector<std::string> names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) names.push_back(line);
  }
  return static_cast<std::int64_t>(names.size()) < classes ? std::vector<std::string>() : names;
}

}  // namespace

CifarSource::CifarSource(const SourceOptions& options) : CifarSource(options.path, Part::kTrain) {}

CifarSource::CifarSource(const std::filesystem::path& folder, Part part)
    : folder_(folder), part_(part), has_two_labels_(ten_batches(folder).empty() && !is_file(folder / kTenTest)) {
  std::vector<std::filesystem::path> paths;
  if (has_two_labels_) {
    paths = {folder / (part == Part::kTrain ? kHundredTrain : kHundredTest)};
  } else {
    paths = part == Part::kTrain ? ten_batches(folder) : std::vector{folder / kTenTest};
  }
  if (paths.empty() || !is_file(paths.front())) {
    throw DataError("Data folder '" + folder.string() +
                    "' holds neither data_batch_1.bin, ... (CIFAR-10) nor train.bin "
                    "and test.bin (CIFAR-100).");
  }
  for (const std::filesystem::path& path : paths) files_.push_back(std::make_unique<const ReadFile>(path));
  read_labels();
  names_ = read_names(folder / (has_two_labels_ ? "fine_label_names.txt" : "batches.meta.txt"), count_classes(*this));
}

void CifarSource::read_labels() {
  std::vector<std::int64_t> labels;
  for (const auto& file : files_) {
    if (file->size() == 0 || file->size() % record_bytes() != 0) {
      throw DataError("Data file '" + file->path().string() + "' has " + std::to_string(file->size()) +
                      " bytes, which are no whole number of CIFAR records of " + std::to_string(record_bytes()) + ".");
    }
    const std::int64_t records = file->size() / record_bytes();
    for (std::int64_t begin = 0; begin < records; begin += kRecordsAtATime) {
      const std::int64_t count = std::min(kRecordsAtATime, records - begin);
      const std::vector<std::uint8_t> bytes = file->read(begin * record_bytes(), count * record_bytes());
      for (std::int64_t i = 0; i < count; ++i) {
        labels.push_back(bytes[static_cast<std::size_t>(i * record_bytes() + label_bytes() - 1)]);
      }
    }
  }
  labels_ = at::tensor(labels, at::kLong);
}

std::int64_t CifarSource::record_bytes() const {
  return label_bytes() + kCifarPixels;
}

std::int64_t CifarSource::channels() const {
  return 3;
}

ImageSize CifarSource::view_size() const {
  return {kCifarSide, kCifarSide};
}

DecodedImages CifarSource::load(const at::Tensor& ids) const {
  at::Tensor images = at::empty({ids.size(0), 3, kCifarSide, kCifarSide}, at::kByte);
  const at::Tensor wanted = ids.contiguous();
  const auto* numbers = wanted.const_data_ptr<std::int64_t>();
  auto* target = images.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    std::int64_t record = numbers[i];
    std::size_t which = 0;
    while (record >= files_[which]->size() / record_bytes()) record -= files_[which++]->size() / record_bytes();
    files_[which]->read(record * record_bytes() + label_bytes(),
                        {target + i * kCifarPixels, static_cast<std::size_t>(kCifarPixels)});
  }
  return images;
}

std::shared_ptr<const ImageSource> CifarSource::test_part() const {
  const std::filesystem::path path = folder_ / (has_two_labels_ ? kHundredTest : kTenTest);
  if (part_ == Part::kTest || !is_file(path)) return nullptr;
  return std::shared_ptr<const ImageSource>(new CifarSource(folder_, Part::kTest));
}

std::string CifarSource::fingerprint() const {
  std::string text = "CIFAR files of";
  for (const auto& file : files_) text += " " + std::to_string(file->size());
  return text + " bytes";
}

SourceDescription CifarSource::describe() {
  return {"cifar", "a folder of CIFAR-10's data_batch_1.bin ... or CIFAR-100's train.bin"};
}

bool CifarSource::recognises(const std::filesystem::path& path) {
  return !ten_batches(path).empty() || is_file(path / kTenTest) ||
         (is_file(path / kHundredTrain) && is_file(path / kHundredTest));
}

}  // namespace negatron
