#include "runtime/data/sources/hdf5_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/checked_labels.h"
#include "runtime/data/sources/hdf5_parts.h"

namespace negatron {
namespace {

bool is_channel_count(std::int64_t size) {
  return size == 1 || size == 3;
}

}  // namespace

Hdf5Source::Hdf5Source(const SourceOptions& options)
    : Hdf5Source(as_data([&] { return std::make_shared<const Hdf5Reader>(options.path, Hdf5Filters::kBuiltIn); }),
                 options.path, "") {}

Hdf5Source::Hdf5Source(std::shared_ptr<const Hdf5Reader> file, const std::filesystem::path& path,
                       const std::string& group)
    : path_(path), file_(std::move(file)), group_(group) {
  as_data([&] {
    if (group_.empty()) group_ = training_group(*file_, kImageNames);
    find_images(group_);
    labels_ = hdf5_labels(*file_, path_, group_, size_);
  });
}

void Hdf5Source::find_images(const std::string& group) {
  dataset_ = first_dataset(*file_, group, kImageNames);
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
  const std::string other = as_data([&] { return test_group(*file_, group_, kImageNames); });
  if (other.empty()) return nullptr;
  return std::shared_ptr<const ImageSource>(new Hdf5Source(file_, path_, other));
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
  return begins_like_hdf5(path);
}

}  // namespace negatron
