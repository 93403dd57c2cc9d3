#include "runtime/evaluation/evaluate_views.h"

#include <algorithm>
#include <stdexcept>

#include "comm/share.h"
#include "runtime/evaluation/alignment_uniformity.h"

namespace negatron {

ViewQuality evaluate_views(Communicator& comm, const FeatureFunction& function, const ImageSource& images,
                           const ViewEvaluationOptions& options) {
  if (options.count < 1) throw std::invalid_argument("The evaluation of views needs at least 1 image.");
  const std::int64_t count = std::min(options.count, images.size());
  const Range own = share(count, comm.size(), comm.rank());
  // A rank without images takes one, for the width and device of the features, and drops its rows.
  const Range taken = own.size() > 0 ? own : Range{0, 1};
  const auto view = [&](int number) {
    const auto inputs = [&](const Range& range) {
      const at::Tensor ids = at::arange(taken.begin + range.begin, taken.begin + range.end, at::kLong);
      return inputs_of(images, ids, [&](const DecodedImages& loaded, const at::Tensor& some) {
        return augment(loaded, some, {options.seed, /*epoch=*/0, number}, options.augmentation, options.format);
      });
    };
    EqualPauses pauses(comm, count, options.batch, options.pause);
    const at::Tensor rows = feature_rows(pauses.before_each(function), inputs, taken.size(), options.batch);
    pauses.finish();
    return rows.slice(0, 0, own.size());  // [n, D]
  };
  const at::Tensor first = view(0);
  return {alignment(comm, first, view(1)), uniformity(comm, first)};
}

}  // namespace negatron
