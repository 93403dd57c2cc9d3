#include "runtime/data/sources/hdf5_source.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/encoded_images.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1a\n";
constexpr const char* kImageNames[] = {"images", "image", "x", "X", "data"};
constexpr const char* kLabelNames[] = {"labels", "label", "y", "Y", "targets"};
constexpr const char* kTrainGroup = "train";
constexpr const char* kTestGroups[] = {"test", "val"};

/// What `call` returns; what HDF5 refuses is refused of data.
template <class Call>
auto as_data(const Call& call) {
  try {
    return call();
  } catch (const SnapshotError& error) {
    throw DataError(error.what());
  }
}

bool is_channel_count(std::int64_t size) {
  return size == 1 || size == 3;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

/// The first of `names` that is in a group, with the group before it; empty when none is.
template <std::size_t kCount>
std::string first_of(const Hdf5Reader& file, const std::string& group, const char* const (&names)[kCount]) {
  for (const char* name : names) {
    if (file.has(group + name)) return group + name;
  }
  return {};
}

}  // namespace

Hdf5Source::Hdf5Source(const SourceOptions& options)
    : Hdf5Source(as_data([&] { return std::make_shared<const Hdf5Reader>(options.path, Hdf5Filters::kBuiltIn); }),
                 options.path, "") {}

Hdf5Source::Hdf5Source(std::shared_ptr<const Hdf5Reader> file, const std::filesystem::path& path,
                       const std::string& group)
    : path_(path), file_(std::move(file)), group_(group) {
  as_data([&] {
    if (group_.empty()) group_ = training_group(*file_);
    find_images(group_);
    read_labels(group_);
  });
}

bool Hdf5Source::has_group(const Hdf5Reader& file, const std::string& name) {
  return file.has(name) && !first_of(file, name + "/", kImageNames).empty();
}

std::string Hdf5Source::training_group(const Hdf5Reader& file) {
  const bool has_train = file.has(kTrainGroup) && first_of(file, "", kImageNames).empty();
  return has_train ? std::string(kTrainGroup) + "/" : std::string();
}

void Hdf5Source::find_images(const std::string& group) {
  dataset_ = first_of(*file_, group, kImageNames);
  if (dataset_.empty()) {
    throw DataError("Data file '" + path_.string() + "' has no dataset 'images'" +
                    (group.empty() ? "" : " in its group 'train'") + ", nor 'image', 'x', 'X' or 'data'.");
  }
  const Hdf5Reader::Dataset found = file_->dataset(dataset_);
  std::vector<std::int64_t> shape = found.shape;
  const std::string name = "'" + dataset_ + "' of the data file '" + path_.string() + "'";
  if (found.dtype != at::kByte) throw DataError(name + " does not hold images of uint8.");
  if (shape.size() == 3) shape.push_back(1);
  // Where both ends could be channels, [n, 3, 32, 3], the last are: so h5py's users write them.
  channels_last_ = shape.size() == 4 && is_channel_count(shape[3]);
  if (shape.size() != 4 || (!channels_last_ && !is_channel_count(shape[1]))) {
    throw DataError(name + " has the shape " + shape_text(found.shape) +
                    ", expected [n, H, W, C] or [n, C, H, W] with 1 or 3 channels, or [n, H, W].");
  }
  if (std::min({shape[0], shape[1], shape[2], shape[3]}) < 1) throw DataError(name + " holds no images.");
  size_ = shape[0];
  channels_ = channels_last_ ? shape[3] : shape[1];
  image_size_ = channels_last_ ? ImageSize{shape[1], shape[2]} : ImageSize{shape[2], shape[3]};
}

void Hdf5Source::read_labels(const std::string& group) {
  const std::string dataset = first_of(*file_, group, kLabelNames);
  if (dataset.empty()) return;
  const std::string name = "'" + dataset + "' of the data file '" + path_.string() + "'";
  const Hdf5Reader::Dataset found = file_->dataset(dataset);
  const bool is_column = found.shape.size() == 1 || (found.shape.size() == 2 && found.shape[1] == 1);
  if (!is_column || found.shape[0] != size_ || !at::isIntegralType(found.dtype, /*includeBool=*/false)) {
    throw DataError(name + " has the shape " + shape_text(found.shape) +
                    ", expected one whole number for each of the " + std::to_string(size_) + " images.");
  }
  labels_ = file_->read(dataset).flatten().to(at::kLong);
  if (labels_.min().item<std::int64_t>() < 0 || labels_.max().item<std::int64_t>() >= kMostLabels) {
    throw DataError(name + " has labels below 0 or above " + std::to_string(kMostLabels - 1) + ".");
  }
}

DecodedImages Hdf5Source::load(const at::Tensor& ids) const {
  at::Tensor images = at::empty({ids.size(0), channels_, image_size_.height, image_size_.width}, at::kByte);
  as_data([&] {
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      const at::Tensor row = file_->read_rows(dataset_, ids[i].item<std::int64_t>(), 1);
      const at::Tensor image = channels_last_ ? row.view({image_size_.height, image_size_.width, channels_}) : row[0];
      images[i].copy_(channels_last_ ? image.permute({2, 0, 1}) : image);
    }
  });
  return images;
}

std::shared_ptr<const ImageSource> Hdf5Source::test_part() const {
  if (group_ != std::string(kTrainGroup) + "/") return nullptr;
  return as_data([&]() -> std::shared_ptr<const ImageSource> {
    for (const char* name : kTestGroups) {
      if (!has_group(*file_, name)) continue;
      return std::shared_ptr<const ImageSource>(new Hdf5Source(file_, path_, std::string(name) + "/"));
    }
    return nullptr;
  });
}

std::string Hdf5Source::fingerprint() const {
  std::error_code error;
  return "an HDF5 file of " + std::to_string(std::filesystem::file_size(path_, error)) + " bytes with " +
         std::to_string(size_) + " images";
}

std::int64_t Hdf5Source::bytes_of_index() const {
  return labels_.defined() ? static_cast<std::int64_t>(labels_.nbytes()) : 0;
}

SourceDescription Hdf5Source::describe() {
  return {"hdf5", "an HDF5 file with a dataset 'images' of uint8, [n, H, W, C] or [n, C, H, W], and perhaps 'labels'"};
}

bool Hdf5Source::recognises(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string first(kHdf5Magic.size(), '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  return file && first == kHdf5Magic;
}

}  // namespace negatron
