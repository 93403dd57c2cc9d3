#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "runtime/data/image_source.h"

namespace negatron {

/// Another source without its broken images: in the place of one that cannot be loaded comes the next that can, behind
/// the last the first. That depends on the images alone, and so it is the same on any number of ranks and threads. A
/// source of which more than one in a hundred images is broken is not one to train on.
class SoundImages : public ImageSource {
 public:
  /// `tell` gets a sentence for each of the first broken images, in the thread that meets it.
  SoundImages(std::shared_ptr<const ImageSource> images, std::function<void(const std::string&)> tell);

  std::int64_t size() const override { return images_->size(); }
  std::int64_t channels() const override { return images_->channels(); }
  bool gives_features() const override { return images_->gives_features(); }
  ImageSize view_size() const override { return images_->view_size(); }
  /// Throws DataError when more than 10 images, and more than one in a hundred that were asked for, are broken.
  DecodedImages load(const at::Tensor& ids) const override;
  ImageParts load_parts(const at::Tensor& ids, const CropsOfImage& crops) const override;
  at::Tensor stand_ins(const at::Tensor& ids) const override;
  at::Tensor broken_images() const override;
  at::Tensor labels() const override { return images_->labels(); }
  std::vector<std::string> label_names() const override { return images_->label_names(); }
  std::shared_ptr<const ImageSource> test_part() const override { return images_->test_part(); }
  std::string fingerprint() const override { return images_->fingerprint(); }
  std::string content_sample() const override { return images_->content_sample(); }
  std::int64_t bytes_in_memory() const override { return images_->bytes_in_memory(); }
  std::int64_t bytes_of_index() const override { return images_->bytes_of_index(); }

  /// How many broken images have been met.
  std::int64_t broken() const;

 private:
  /// load([1] int64), of `id` or the first sound one behind it.
  template <typename Load>
  auto load_one(std::int64_t id, const Load& load) const;
  std::int64_t stand_in(std::int64_t id) const;
  void note_broken(std::int64_t id, const std::string& why) const;

  std::shared_ptr<const ImageSource> images_;
  std::function<void(const std::string&)> tell_;
  mutable std::mutex mutex_;
  mutable std::unordered_set<std::int64_t> broken_;
  mutable std::atomic<std::int64_t> asked_{0};
};

}  // namespace negatron
