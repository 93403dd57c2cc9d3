#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "runtime/data/augmentation.h"
#include "runtime/data/device_views/unmade_views.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_buffers.h"
#include "runtime/data/view_format.h"

namespace negatron {

/// This rank's part of one global batch.
struct Batch {
  at::Tensor view_a;  // [b, C, H, W] float, normalised; on the host, unless a BatchPlacement moved them
  at::Tensor view_b;  // [b, C, H, W] float, normalised; undefined with one view
  at::Tensor ids;     // [b] int64, sample numbers in the data set
  at::Tensor labels;  // [b] int64, undefined when the data have none
  /// Samples that were mined for each of these, L of them, to be met as negatives; empty and undefined for none.
  std::vector<at::Tensor> mined_views;  // L times [b, C, H, W] float, normalised, as view_b of those samples
  at::Tensor mined_ids;                 // [b, L] int64
  at::Tensor mined_labels;              // [b, L] int64, undefined when the data have none
  /// What the views are made of while they are not made, and undefined; a BatchPlacement makes them.
  std::shared_ptr<UnmadeViews> unmade;
  std::int64_t epoch = 0;
  std::int64_t index_in_epoch = 0;
  /// Samples of this batch over all ranks: `global_batch`, fewer in the last batch of an epoch.
  std::int64_t global_size = 0;
  /// To be called, where there is one, by the thread that uses the views, before it does: what it queues then waits for
  /// their copy, and the host does not.
  std::function<void()> arrive{};

  /// All views that there are.
  std::vector<at::Tensor*> views();
  /// Makes what is not made, on `device`. Local.
  void make_views_on(at::Device device);
};

/// What was decided between steps about the batches to come. Equal on all ranks.
struct BatchPlan {
  /// [samples] int64, each sample once: the order of the epoch; undefined for the one that BatchOptions say.
  at::Tensor order;
  /// [samples, M] int64, samples that were mined for each; undefined for none. Epoch e takes L of them in turn, those
  /// at e L modulo M and behind.
  at::Tensor mined;
};

struct BatchOptions {
  std::int64_t global_batch = 256;
  std::uint64_t seed = 0;
  int rank = 0;
  int ranks = 1;
  /// Leave out the last, partial batch of each epoch.
  bool drop_last = false;
  /// Each batch has so many identities, which are labels, and as many images of each (identity_order.h); 0 for batches
  /// at random. Divides the global batch.
  std::int64_t identities = 0;
  /// Of each sample, 1 or 2.
  int views = 2;
  /// L, samples that are met with each as negatives, which a plan names.
  std::int64_t mined = 0;
  /// Views are drawn and not made (Batch::unmade); not for samples that are features.
  bool unmade = false;
  AugmentationOptions augmentation;
  /// A size of 0 by 0 is the source's own.
  ViewFormat format;

  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

/// Makes any batch of any epoch from nothing but its number. The global batch i of an epoch is samples
/// [i*Bg, min(N, (i+1)*Bg)) of `epoch_order`, or of `identity_order`, and this rank takes its share() of them: the same
/// samples for any number of ranks, and zero rows when a small last batch leaves this rank none. Of an image that is
/// decoded for its views, no more is decoded than they need. Local, thread-safe but for plan().
class BatchSource {
 public:
  BatchSource(std::shared_ptr<const ImageSource> images, const BatchOptions& options);

  std::int64_t steps_per_epoch() const noexcept { return steps_per_epoch_; }
  /// The plan of batches from here on; while none is in the making. Throws std::invalid_argument when it is of other
  /// samples.
  void plan(const BatchPlan& plan);
  /// All of a batch: begin(), and fill() of all rows.
  Batch build(std::int64_t epoch, std::int64_t index) const;

  /// A batch without images: which samples are wanted, and views and labels that nobody has written yet.
  Batch begin(std::int64_t epoch, std::int64_t index) const;
  /// Loads the images of `rows` of a batch that was begun, and writes their views, numbers and labels. Each row once;
  /// different rows may be filled by several threads at a time.
  void fill(Batch& batch, const Range& rows) const;
  /// How many rows are best filled together.
  std::int64_t rows_together() const;

 private:
  at::Tensor order(std::int64_t epoch) const;
  /// [b, L] the samples that were mined for `ids` and are met in `epoch`.
  at::Tensor mined_for(const at::Tensor& ids, std::int64_t epoch) const;
  /// A view to be written: which one of its samples it is, which of Batch::views(), and where it goes, [m, C, H, W],
  /// which is undefined where views are not made.
  struct WantedView {
    int number = 0;
    std::size_t set = 0;
    at::Tensor into;
  };
  /// Views of some samples of a batch.
  struct Wanted {
    at::Tensor samples;  // [m] int64 on the host
    std::int64_t first_row = 0;
    std::vector<WantedView> views;
  };
  void write_views(Batch& batch, const Wanted& wanted) const;
  void write_feature_views(const Batch& batch, const Wanted& wanted) const;

  std::shared_ptr<const ImageSource> images_;
  BatchOptions options_;
  std::int64_t steps_per_epoch_;
  BatchPlan plan_;
  // Drawing an order costs milliseconds, a batch needs a few hundred entries of it: the last one drawn is kept.
  mutable std::mutex order_mutex_;
  mutable std::int64_t order_epoch_ = -1;
  mutable at::Tensor order_;
  mutable ViewBuffers buffers_;
};

}  // namespace negatron
