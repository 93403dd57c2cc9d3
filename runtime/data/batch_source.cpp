#include "runtime/data/batch_source.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/data/orders/epoch_order.h"
#include "runtime/data/orders/identity_order.h"
#include "runtime/data/view_parameters.h"
#include "runtime/data/views/make_views.h"

namespace negatron {

namespace {

std::int64_t count_steps(std::int64_t samples, std::int64_t global_batch, bool drop_last) {
  const std::int64_t whole = samples / global_batch;
  const bool partial = samples % global_batch != 0;
  // A data set smaller than one batch is still trained on.
  return std::max<std::int64_t>(1, whole + (partial && !drop_last ? 1 : 0));
}

}  // namespace

std::vector<at::Tensor*> Batch::views() {
  std::vector<at::Tensor*> all{&view_a};
  if (view_b.defined()) all.push_back(&view_b);
  for (at::Tensor& view : mined_views) all.push_back(&view);
  return all;
}

void BatchOptions::validate() const {
  if (global_batch < 1) throw std::invalid_argument("The global batch must be at least 1 sample.");
  if (ranks < 1 || rank < 0 || rank >= ranks) throw std::invalid_argument("The rank must lie in [0, ranks).");
  if (identities < 0 || (identities > 0 && global_batch % identities != 0)) {
    throw std::invalid_argument("The identities of a batch must divide it.");
  }
  if (mined < 0) throw std::invalid_argument("A sample is met with 0 mined ones or more.");
  if (views < 1 || views > 2) throw std::invalid_argument("A sample has one view or two.");
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
  if (options_.identities > 0 && !images_->has_labels()) {
    throw std::invalid_argument("Batches of identities need images with labels.");
  }
  if (options_.format.size == ImageSize{}) options_.format.size = images_->view_size();
  steps_per_epoch_ = count_steps(images_->size(), options_.global_batch, options_.drop_last);
}

void BatchSource::plan(const BatchPlan& plan) {
  const auto is_of_samples = [&](const at::Tensor& numbers) {
    return !numbers.defined() || (numbers.size(0) == images_->size() && numbers.scalar_type() == at::kLong);
  };
  if (!is_of_samples(plan.order) || !is_of_samples(plan.mined)) {
    throw std::invalid_argument("A plan of batches must be of all samples.");
  }
  if (options_.mined > 0 && (!plan.mined.defined() || plan.mined.size(1) < options_.mined)) {
    throw std::invalid_argument("A plan of batches must name as many mined samples as a batch takes.");
  }
  plan_ = plan;
}

// Example: 5 were mined for each sample and 2 are met: epochs 0, 1 and 2 take those at 0 1, 2 3 and 4 0.
at::Tensor BatchSource::mined_for(const at::Tensor& ids, std::int64_t epoch) const {
  if (!plan_.mined.defined()) throw std::logic_error("Batches with mined samples need a plan.");
  const at::Tensor places = (at::arange(options_.mined, at::kLong) + epoch * options_.mined) % plan_.mined.size(1);
  return plan_.mined.index_select(0, ids).index_select(1, places);
}

at::Tensor BatchSource::order(std::int64_t epoch) const {
  if (plan_.order.defined()) return plan_.order;
  const std::lock_guard lock(order_mutex_);
  if (epoch != order_epoch_) {
    const std::int64_t identities = options_.identities;
    order_ = identities > 0 ? identity_order(images_->labels(), {identities, options_.global_batch / identities},
                                             options_.seed, epoch)
                            : epoch_order(images_->size(), options_.seed, epoch);
    order_epoch_ = epoch;
  }
  return order_;
}

Batch BatchSource::begin(std::int64_t epoch, std::int64_t index) const {
  const std::int64_t begin = index * options_.global_batch;
  const std::int64_t end = std::min(begin + options_.global_batch, images_->size());
  // Example: 1,000 samples, a global batch of 256 and 4 ranks. Batches 0 to 2 give each rank 64; batch 3 has 232
  // left, and each rank takes 58.
  const Range own = share(end - begin, options_.ranks, options_.rank);
  const ImageSize& size = options_.format.size;

  Batch batch;
  batch.epoch = epoch;
  batch.index_in_epoch = index;
  batch.global_size = end - begin;
  // A copy, so that the batch does not keep the order of a whole epoch alive.
  batch.ids = order(epoch).slice(0, begin + own.begin, begin + own.end).clone();
  const std::vector<std::int64_t> shape = {own.size(), images_->channels(), size.height, size.width};
  // The smaller batch at the end of an epoch would keep memory that nothing else fits into.
  const bool is_whole = end - begin == options_.global_batch;
  const auto views = [&] { return is_whole ? buffers_.take(shape) : at::empty(shape, at::kFloat); };
  batch.view_a = views();
  if (options_.views == 2) batch.view_b = views();
  if (images_->has_labels()) batch.labels = at::empty_like(batch.ids);
  if (options_.mined > 0) {
    batch.mined_ids = mined_for(batch.ids, epoch);
    for (std::int64_t i = 0; i < options_.mined; ++i) batch.mined_views.push_back(views());
    if (images_->has_labels()) batch.mined_labels = at::empty_like(batch.mined_ids);
  }
  return batch;
}

void BatchSource::write_feature_views(const at::Tensor& wanted, std::int64_t epoch,
                                      std::vector<WantedView> views) const {
  const DecodedImages features = images_->load(wanted);
  for (WantedView& view : views) {
    const ViewNumber number{options_.seed, epoch, view.number};
    view.into.copy_(augment(features, wanted, number, options_.augmentation, options_.format));
  }
}

void BatchSource::write_views(const at::Tensor& wanted, std::int64_t epoch, std::vector<WantedView> views) const {
  const auto* samples = wanted.const_data_ptr<std::int64_t>();
  std::vector<std::vector<ViewParameters>> drawn(views.size());
  for (auto& of_view : drawn) of_view.resize(static_cast<std::size_t>(wanted.size(0)));
  // Views are drawn before their images are decoded, from nothing but sizes.
  const auto draw = [&](std::int64_t i, const ImageSize& size) {
    std::vector<CropWanted> crops;
    for (std::size_t view = 0; view < drawn.size(); ++view) {
      const ViewNumber number{options_.seed, epoch, views[view].number};
      ViewParameters& parameters = drawn[view][static_cast<std::size_t>(i)];
      parameters = draw_view_parameters(samples[i], number, options_.augmentation, size);
      crops.push_back({part_of(parameters.crop), options_.format.size});
    }
    return crops;
  };
  const ImageParts loaded = images_->load_parts(wanted, draw);
  for (std::size_t view = 0; view < drawn.size(); ++view) {
    for (std::size_t i = 0; i < loaded.parts.size(); ++i) {
      drawn[view][i].crop = within(drawn[view][i].crop, loaded.parts[i]);
    }
    make_views(loaded.pixels, drawn[view], options_.augmentation, options_.format.normalization, views[view].into);
  }
}

// Views are those of the sample that is asked for. What came in the place of a broken image has its own number and
// label, for the bank and the losses; its views are drawn for the place, so that they differ from those of its own
// turn.
void BatchSource::fill(Batch& batch, const Range& rows) const {
  if (rows.size() == 0) return;
  const auto of_rows = [&rows](const at::Tensor& all) { return all.slice(0, rows.begin, rows.end); };
  const auto write = [&](const at::Tensor& ids, const at::Tensor& labels, std::vector<WantedView> views) {
    const at::Tensor wanted = ids.clone(at::MemoryFormat::Contiguous);
    if (images_->gives_features()) {
      write_feature_views(wanted, batch.epoch, std::move(views));
    } else {
      write_views(wanted, batch.epoch, std::move(views));
    }
    ids.copy_(images_->stand_ins(wanted));
    if (labels.defined()) labels.copy_(labels_of(*images_, wanted));
  };
  std::vector<WantedView> own{{0, of_rows(batch.view_a)}};
  if (options_.views == 2) own.push_back({1, of_rows(batch.view_b)});
  write(of_rows(batch.ids), batch.labels.defined() ? of_rows(batch.labels) : batch.labels, std::move(own));
  for (std::size_t i = 0; i < batch.mined_views.size(); ++i) {
    const auto column = static_cast<std::int64_t>(i);
    const at::Tensor& labels = batch.mined_labels;
    write(of_rows(batch.mined_ids).select(1, column), labels.defined() ? of_rows(labels).select(1, column) : labels,
          {{1, of_rows(batch.mined_views[i])}});
  }
}

std::int64_t BatchSource::rows_together() const {
  return views_together(images_->channels(), options_.format.size);
}

Batch BatchSource::build(std::int64_t epoch, std::int64_t index) const {
  Batch batch = begin(epoch, index);
  const std::int64_t rows = batch.ids.size(0);
  for (std::int64_t first = 0; first < rows; first += rows_together()) {
    fill(batch, {first, std::min(first + rows_together(), rows)});
  }
  return batch;
}

}  // namespace negatron
