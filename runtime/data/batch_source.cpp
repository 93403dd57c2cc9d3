#include "runtime/data/batch_source.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "comm/share.h"
#include "runtime/data/epoch_order.h"

namespace negatron {

namespace {

std::int64_t count_steps(std::int64_t samples, std::int64_t global_batch, bool drop_last) {
  const std::int64_t whole = samples / global_batch;
  const bool partial = samples % global_batch != 0;
  // A data set smaller than one batch is still trained on.
  return std::max<std::int64_t>(1, whole + (partial && !drop_last ? 1 : 0));
}

}  // namespace

void BatchOptions::validate() const {
  if (global_batch < 1) throw std::invalid_argument("The global batch must be at least 1 sample.");
  if (ranks < 1 || rank < 0 || rank >= ranks) throw std::invalid_argument("The rank must lie in [0, ranks).");
  augmentation.validate();
  format.normalization.validate();
  if (format.size != ImageSize{} && (format.size.height < 1 || format.size.width < 1)) {
    throw std::invalid_argument("Views need a height and a width of at least 1 pixel.");
  }
}

BatchSource::BatchSource(std::shared_ptr<const ImageSource> images, const BatchOptions& options)
    : images_(std::move(images)), options_(options) {
  options_.validate();
  if (images_->size() == 0) throw std::invalid_argument("The data set has no images.");
  if (options_.format.size == ImageSize{}) options_.format.size = images_->view_size();
  steps_per_epoch_ = count_steps(images_->size(), options_.global_batch, options_.drop_last);
}

at::Tensor BatchSource::order(std::int64_t epoch) const {
  const std::lock_guard lock(order_mutex_);
  if (epoch != order_epoch_) {
    order_ = epoch_order(images_->size(), options_.seed, epoch);
    order_epoch_ = epoch;
  }
  return order_;
}

DecodedImages BatchSource::load(const at::Tensor& ids) const {
  if (ids.size(0) > 0) return images_->load(ids);
  // A source of differing sizes cannot say what none of its images look like.
  return at::empty({0, images_->channels(), options_.format.size.height, options_.format.size.width},
                   images_->gives_features() ? at::kDouble : at::kByte);
}

Batch BatchSource::build(std::int64_t epoch, std::int64_t index) const {
  const std::int64_t begin = index * options_.global_batch;
  const std::int64_t end = std::min(begin + options_.global_batch, images_->size());
  // Example: 1,000 samples, a global batch of 256 and 4 ranks. Batches 0 to 2 give each rank 64; batch 3 has 232
  // left, and each rank takes 58.
  const Range own = share(end - begin, options_.ranks, options_.rank);

  Batch batch;
  batch.epoch = epoch;
  batch.index_in_epoch = index;
  batch.global_size = end - begin;
  // A copy, so that the batch does not keep the order of a whole epoch alive.
  const at::Tensor wanted = order(epoch).slice(0, begin + own.begin, begin + own.end).clone();
  const DecodedImages samples = load(wanted);
  // What came in the place of a broken image has its own number and label, for the bank and the losses. Its views are
  // drawn for the place, so that they differ from those of its own turn.
  batch.ids = images_->stand_ins(wanted);
  batch.labels = labels_of(*images_, wanted);
  const auto view = [&](int number) {
    return augment(samples, wanted, {options_.seed, epoch, number}, options_.augmentation, options_.format);
  };
  batch.view_a = view(0);
  batch.view_b = view(1);
  return batch;
}

}  // namespace negatron
