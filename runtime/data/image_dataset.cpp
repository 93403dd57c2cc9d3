#include "runtime/data/image_dataset.h"

#include <string>
#include <system_error>

#include "runtime/data/data_error.h"
#include "runtime/data/idx_file.h"

namespace negatron {

namespace {

/// `name` or `name`.gz, whichever is there; the plain one first.
std::filesystem::path find_file(const std::filesystem::path& directory, const std::string& name) {
  std::error_code error;
  for (const std::filesystem::path& path : {directory / name, directory / (name + ".gz")}) {
    if (std::filesystem::exists(path, error)) return path;
  }
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

}  // namespace

std::int64_t ImageDataset::classes() const {
  return size() == 0 ? 0 : labels.max().item<std::int64_t>() + 1;
}

ImageDataset ImageDataset::slice(Range range) const {
  return {images.slice(0, range.begin, range.end), labels.slice(0, range.begin, range.end)};
}

ImageDataset ImageDataset::select(const at::Tensor& indices) const {
  return {images.index_select(0, indices), labels.index_select(0, indices)};
}

ImageDataset load_idx_dataset(const std::filesystem::path& directory, DataPart part) {
  check_directory(directory);
  const std::string prefix = part == DataPart::kTrain ? "train" : "t10k";
  const std::filesystem::path images_path = find_file(directory, prefix + "-images-idx3-ubyte");
  const std::filesystem::path labels_path = find_file(directory, prefix + "-labels-idx1-ubyte");
  const at::Tensor images = read_idx(images_path, 3);  // [N, H, W]
  const at::Tensor labels = read_idx(labels_path, 1);  // [N]
  // Files of two data sets, or of the train and the test part, that were mixed show up here.
  if (images.size(0) != labels.size(0)) {
    throw DataError("Data file '" + images_path.string() + "' holds " + std::to_string(images.size(0)) +
                    " images, but '" + labels_path.string() + "' holds " + std::to_string(labels.size(0)) + " labels.");
  }
  // IDX images have no channel: [N, H, W] -> [N, 1, H, W].
  return {images.unsqueeze(1), labels.to(at::kLong)};
}

}  // namespace negatron
