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

void Batch::make_views_on(at::Device device) {
  if (!unmade) return;
  std::vector<at::Tensor> made = unmade->make(device);
  const std::size_t own = made.size() - mined_views.size();
  view_a = made.front();
  if (own == 2) view_b = made[1];
  std::move(made.begin() + static_cast<std::ptrdiff_t>(own), made.end(), mined_views.begin());
  unmade = nullptr;
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
  if (options_.unmade && images_->gives_features()) {
    throw std::invalid_argument("Views of features are made on the host.");
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
  const auto views = [&] {
    if (options_.unmade) return at::Tensor();
    return is_whole ? buffers_.take(shape) : at::empty(shape, at::kFloat);
  };
  batch.view_a = views();
  if (options_.views == 2) batch.view_b = views();
  if (images_->has_labels()) batch.labels = at::empty_like(batch.ids);
  if (options_.mined > 0) {
    batch.mined_ids = mined_for(batch.ids, epoch);
    for (std::int64_t i = 0; i < options_.mined; ++i) batch.mined_views.push_back(views());
    if (images_->has_labels()) batch.mined_labels = at::empty_like(batch.mined_ids);
  }
  if (options_.unmade) {
    const auto sets = static_cast<std::size_t>(options_.views + options_.mined);
    batch.unmade = std::make_shared<UnmadeViews>(options_.augmentation, options_.format,
                                                 UnmadeViews::Shape{sets, own.size(), images_->channels()});
  }
  return batch;
}

void BatchSource::write_feature_views(const Batch& batch, const Wanted& wanted) const {
  const DecodedImages features = images_->load(wanted.samples);
  for (const WantedView& view : wanted.views) {
    const ViewNumber number{options_.seed, batch.epoch, view.number};
    view.into.copy_(augment(features, wanted.samples, number, options_.augmentation, options_.format));
  }
}

void BatchSource::write_views(Batch& batch, const Wanted& wanted) const {
  const auto* samples = wanted.samples.const_data_ptr<std::int64_t>();
  std::vector<DrawnViews> drawn;
  for (const WantedView& view : wanted.views) {
    drawn.push_back({view.set, std::vector<ViewParameters>(static_cast<std::size_t>(wanted.samples.size(0)))});
  }
  // Views are drawn before their images are decoded, from nothing but sizes.
  const auto draw = [&](std::int64_t i, const ImageSize& size) {
    std::vector<CropWanted> crops;
    for (std::size_t view = 0; view < drawn.size(); ++view) {
      const ViewNumber number{options_.seed, batch.epoch, wanted.views[view].number};
      ViewParameters& parameters = drawn[view].drawn[static_cast<std::size_t>(i)];
      parameters = draw_view_parameters(samples[i], number, options_.augmentation, size);
      crops.push_back({part_of(parameters.crop), options_.format.size});
    }
    return crops;
  };
  const ImageParts loaded = images_->load_parts(wanted.samples, draw);
  for (DrawnViews& of_set : drawn) {
    for (std::size_t i = 0; i < loaded.parts.size(); ++i) {
      of_set.drawn[i].crop = within(of_set.drawn[i].crop, loaded.parts[i]);
    }
  }
  if (batch.unmade) return batch.unmade->add(wanted.first_row, loaded.pixels, drawn);
  for (std::size_t view = 0; view < drawn.size(); ++view) {
    at::Tensor into = wanted.views[view].into;
    make_views(loaded.pixels, drawn[view].drawn, options_.augmentation, options_.format.normalization, into);
  }
}

// Views are those of the sample that is asked for. What came in the place of a broken image has its own number and
// label, for the bank and the losses; its views are drawn for the place, so that they differ from those of its own
// turn.
void BatchSource::fill(Batch& batch, const Range& rows) const {
  if (rows.size() == 0) return;
  const auto of_rows = [&rows](const at::Tensor& all) {
    return all.defined() ? all.slice(0, rows.begin, rows.end) : all;
  };
  const auto write = [&](const at::Tensor& ids, const at::Tensor& labels, std::vector<WantedView> views) {
    const Wanted wanted{ids.clone(at::MemoryFormat::Contiguous), rows.begin, std::move(views)};
    if (images_->gives_features()) {
      write_feature_views(batch, wanted);
    } else {
      write_views(batch, wanted);
    }
    ids.copy_(images_->stand_ins(wanted.samples));
    if (labels.defined()) labels.copy_(labels_of(*images_, wanted.samples));
  };
  std::vector<WantedView> own{{0, 0, of_rows(batch.view_a)}};
  if (options_.views == 2) own.push_back({1, 1, of_rows(batch.view_b)});
  write(of_rows(batch.ids), of_rows(batch.labels), std::move(own));
  for (std::size_t i = 0; i < batch.mined_views.size(); ++i) {
    const auto column = static_cast<std::int64_t>(i);
    const at::Tensor& labels = batch.mined_labels;
    const std::size_t set = static_cast<std::size_t>(options_.views) + i;
    write(of_rows(batch.mined_ids).select(1, column), labels.defined() ? of_rows(labels).select(1, column) : labels,
          {{1, set, of_rows(batch.mined_views[i])}});
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
