#include "samplers/pass/cuda/device_shortlists.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "samplers/pass/selection/packed_key.h"
#include "samplers/pass/selection/sample_rank.h"

namespace negatron {
namespace {

constexpr float kFloatInfinity = std::numeric_limits<float>::infinity();
/// What an addition of a tensor core may round by, of its largest operand: it cuts off, in fp32 with hardly a bit more
/// (Fasi et al., Numerical behavior of NVIDIA tensor cores, PeerJ Computer Science 7:e330). Twice that for where sums
/// are put together.
constexpr double kTensorCoreRoundoff = 0x1p-22;

/// The number of fp32 below each of some of fp64.
at::Tensor below(const at::Tensor& numbers) {
  const at::Tensor rounded = numbers.to(at::kFloat);
  return at::nextafter(rounded, at::full({}, -kFloatInfinity, rounded.options()));
}

/// [Q] number `rank` of scores [Q, .] in descending order.
at::Tensor at_rank(const at::Tensor& scores, std::int64_t rank) {
  return std::get<0>(scores.topk(rank, 1, /*largest=*/true, /*sorted=*/false)).amin(1);
}

/// Sets to -infinity those scores [b, S + 1] of the queries from `first` on that are excluded of the sampled rows [S].
/// The last column takes what the sample does not hold.
void hide_excluded(const at::Tensor& scores, const at::Tensor& sampled, const at::Tensor& excluded,
                   std::int64_t first) {
  const std::int64_t size = sampled.size(0);
  const at::Tensor row = excluded.select(1, 0).to(at::kLong);
  const at::Tensor query = excluded.select(1, 1).to(at::kLong) - first;
  const at::Tensor place = at::searchsorted(sampled, row).clamp_max_(size - 1);
  const at::Tensor here = (query >= 0).logical_and_(query < scores.size(0));
  const at::Tensor hidden = (sampled.index_select(0, place) == row).logical_and_(here);
  const at::Tensor column = at::where(hidden, place, size);
  scores.view(-1).index_fill_(0, query.mul(size + 1).masked_fill_(here.logical_not(), 0) + column, -kFloatInfinity);
  scores.select(1, size).fill_(-kFloatInfinity);
}

}  // namespace

DeviceShortlists::DeviceShortlists(const ScanDevice& device, const Rows& rows, const ScannedQueries& queries,
                                   std::int64_t m, std::int64_t sample_scores)
    : device_(device),
      rows_(rows),
      m_(m),
      bound_{.width = queries.exact.size(1),
             .parts = static_cast<int>(queries.parts.size(0)),
             .roundoff = kTensorCoreRoundoff},
      queries_(queries.exact.to(at::kDouble).contiguous()),
      lengths_(at::linalg_vector_norm(queries_, 2, {1})),
      rounding_(at::linalg_vector_norm(queries_ - queries.parts.to(at::kDouble).sum(0), 2, {1})),
      thresholds_(at::full({queries.exact.size(0)}, -kFloatInfinity, queries.exact.options())) {
  for (const Leaf& leaf : rows.leaves) valid_ += leaf.valid;
  at::Tensor norms = at::linalg_vector_norm(rows.vectors, 2, {1}, /*keepdim=*/false, at::kFloat);
  // A hole may hold anything; only rows that score bound the error.
  if (rows.validity.defined()) norms.masked_fill_(rows.validity != 0.0, 0.0);
  largest_square_ = norms.amax().to(at::kDouble).square();
  // Without a sample every row is noted, and the threshold stays at -infinity.
  capacity_ = std::max<std::int64_t>(1, valid_);
  const std::int64_t size = sample_size(m, valid_);
  if (size == 0) return;
  capacity_ = std::min(valid_, list_capacity(m, size, valid_));
  find_thresholds(queries, sampled_rows(size), rank_in_sample(m, size, valid_), sample_scores);
}

/// [size] int64 ascending: of the valid rows, one of each run of as many, at a place that differs from run to run
/// (kSampleStep).
at::Tensor DeviceShortlists::sampled_rows(std::int64_t size) const {
  const at::Tensor run = at::arange(size, rows_.slots.options());
  const at::Tensor place = (run * valid_).floor_divide_(size) + (run * kSampleStep).remainder_(valid_ / size);
  if (!rows_.validity.defined()) return place;
  // The row that is number `place` among the valid ones: the first whose running count exceeds it. With holes at 1 the
  // counts are 1, 1, 2, 3, and place 1 is row 2.
  return at::searchsorted((rows_.validity == 0.0).cumsum(0), place, /*out_int32=*/false, /*right=*/true);
}

void DeviceShortlists::find_thresholds(const ScannedQueries& queries, const at::Tensor& sampled, std::int64_t rank,
                                       std::int64_t sample_scores) {
  // The last row, once more, is for what hide_excluded() has no other place for.
  const at::Tensor rows = rows_.vectors.index_select(0, at::cat({sampled, sampled.slice(0, -1)})).to(at::kFloat);
  // Queries block by block: scores of a large batch with the whole sample need not fit.
  const std::int64_t block = std::max<std::int64_t>(1, sample_scores / rows.size(0));
  for (std::int64_t first = 0; first < queries.exact.size(0); first += block) {
    const at::Tensor scores = queries.exact.slice(0, first, first + block).mm(rows.t());
    if (queries.excluded.defined()) hide_excluded(scores, sampled, queries.excluded, first);
    thresholds_.slice(0, first, first + block).copy_(at_rank(scores.narrow(1, 0, sampled.size(0)), rank));
  }
  thresholds_ = below(thresholds_.to(at::kDouble) - 2.0 * bound_.error(lengths_, rounding_, largest_square_));
}

DeviceShortlists::Best DeviceShortlists::best(const FilteredRows& noted) const {
  // What the best rows score at least in the scan; -infinity where fewer than m were handed out.
  at::Tensor bounds = at::full_like(thresholds_, -kFloatInfinity);
  if (m_ <= capacity_) {
    const at::Tensor empty = at::arange(capacity_, noted.counts.options()) >= noted.counts.unsqueeze(1);
    const at::Tensor least = at_rank(noted.scores.masked_fill(empty, -kFloatInfinity), m_);
    const at::Tensor error = bound_.error(lengths_, rounding_, largest_square_);
    bounds = below(least.to(at::kDouble) - 2.0 * error);
  }
  Best best;
  // The certificate of FORMULAS.md 8 for all queries at once. Fewer than m noted rows make the bound -infinity, which
  // certifies nothing unless every row was noted.
  best.known = (thresholds_ < bounds).logical_or_(thresholds_ == -kFloatInfinity);
  best.known.logical_and_(noted.counts <= capacity_);
  best.known.logical_and_(bound_.limit(lengths_, rounding_, largest_square_) < ScoreBound::kLargest);
  // Queries that stay open are not scored: no row reaches an infinite bound.
  best.keys = keys_of(noted, bounds.masked_fill(best.known.logical_not(), kFloatInfinity));
  return best;
}

/// [Q, m] of the rows whose scores in the scan reach bounds [Q].
at::Tensor DeviceShortlists::keys_of(const FilteredRows& noted, const at::Tensor& bounds) const {
  const at::Tensor keys = at::empty(noted.scores.sizes(), rows_.slots.options());
  const at::Tensor slots = rows_.slots.contiguous();
  ListScoring lists;
  lists.rows = static_cast<const std::uint16_t*>(rows_.vectors.const_data_ptr());
  lists.slots = slots.const_data_ptr<std::int64_t>();
  lists.width = static_cast<int>(bound_.width);
  lists.queries = queries_.const_data_ptr<double>();
  lists.query_count = static_cast<std::int32_t>(queries_.size(0));
  lists.capacity = static_cast<std::int32_t>(capacity_);
  lists.scores = noted.scores.const_data_ptr<float>();
  lists.listed = noted.rows.const_data_ptr<std::int32_t>();
  lists.counts = noted.counts.const_data_ptr<std::int32_t>();
  lists.bounds = bounds.const_data_ptr<float>();
  lists.keys = keys.data_ptr<std::int64_t>();
  device_.score(lists);
  const std::int64_t found = std::min(m_, capacity_);
  const at::Tensor best = std::get<0>(keys.topk(found, 1, /*largest=*/false, /*sorted=*/true));
  return found == m_ ? best : at::constant_pad_nd(best, {0, m_ - found}, kAfterAllKeys);
}

}  // namespace negatron
