#include "runtime/evaluation/feature_rounds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "comm/share.h"
#include "comm/together.h"

namespace negatron {

FeatureRounds::FeatureRounds(Communicator& host, Communicator& comm, FeatureFunction function,
                             const ImageSource& images, const Options& options)
    : host_(host), comm_(comm), function_(std::move(function)), images_(images), options_(options) {}

FeatureRound FeatureRounds::next() {
  const std::int64_t count = std::min(images_.size() - begin_, options_.batch * comm_.size());
  const Range own = share(count, comm_.size(), comm_.rank());
  at::Tensor rows, numbers;
  together(host_, [&] {
    // A rank without images computes one, for the width and device, and drops its row.
    const std::int64_t computed = std::max<std::int64_t>(own.size(), 1);
    const std::int64_t first = std::min(begin_ + own.begin, images_.size() - 1);
    const at::Tensor ids = at::arange(first, first + computed, at::kLong);
    rows = extract_features(function_, images_, ids, options_.format, options_.batch, options_.length)
               .slice(0, 0, own.size())
               .contiguous();
    const at::Tensor taken = images_.stand_ins(ids);
    const at::Tensor labels = labels_of(images_, ids);
    numbers = at::stack({taken, labels.defined() ? labels : at::full_like(taken, -1)}, 1)
                  .slice(0, 0, own.size())
                  .contiguous();  // [n, 2]
  });
  const std::vector<std::int64_t> sizes = share_sizes(count, comm_.size());
  FeatureRound round;
  round.rows = comm_.all_gather(rows, sizes).to(at::kCPU);
  const at::Tensor all = host_.all_gather(numbers, sizes);  // [m, 2]
  round.ids = all.select(1, 0).contiguous();
  round.labels = all.select(1, 1).contiguous();
  begin_ += count;
  return round;
}

}  // namespace negatron
