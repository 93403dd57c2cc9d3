#include "samplers/pass/screened_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "samplers/pass/candidate_tile.h"
#include "samplers/pass/task_threads.h"

namespace negatron {
namespace {

/// A tile of 256 queries times a leaf of 1024 rows is 1 MiB of fp32 scores.
constexpr std::int64_t kQueryBlock = 256;
/// Shortlists this many times as long as what is asked for are seldom cut.
constexpr std::int64_t kSpare = 4;
constexpr std::int64_t kShortest = 512;
/// So many scores are compared with the threshold at once.
constexpr std::int64_t kChunk = 16;
/// Roundings beside those of a product of d numbers: of the exact score to fp32, and of thresholds.
constexpr double kFurtherRoundings = 8.0;
constexpr double kUnitRoundoff = 0x1.0p-24;
/// Numbers below the normal ones may count as 0.
constexpr double kLeastNormal = std::numeric_limits<float>::min();

/// Above the score of rows that are no candidates.
constexpr float kLowest = std::numeric_limits<float>::lowest();

/// Infinite or not a number when one of `numbers` is.
double largest_magnitude(const at::Tensor& numbers) {
  const auto [least, most] = at::aminmax(numbers);
  return std::max(-least.item<double>(), most.item<double>());
}

template <typename Number>
double exact_score(const float* query, const Number* row, std::int64_t width) {
  constexpr std::int64_t kSums = 8;
  std::array<double, kSums> sums{};
  const auto product = [&](std::int64_t i) {
    return static_cast<double>(query[i]) * static_cast<double>(static_cast<float>(row[i]));
  };
  std::int64_t i = 0;
  for (; i + kSums <= width; i += kSums) {
    for (std::int64_t k = 0; k < kSums; ++k) sums[static_cast<std::size_t>(k)] += product(i + k);
  }
  for (; i < width; ++i) sums[0] += product(i);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

struct Near {
  float score;       // in fp32
  std::int32_t row;  // of the shard
};

/// The rows that may still be among the m best of one query.
template <typename Number>
class Shortlist {
 public:
  Shortlist(const Rows& rows, const float* query, std::int64_t m)
      : vectors_(rows.vectors.const_data_ptr<Number>()),
        slots_(rows.slots.const_data_ptr<std::int64_t>()),
        width_(rows.vectors.size(1)),
        query_(query),
        m_(static_cast<std::size_t>(m)),
        longest_(static_cast<std::size_t>(std::max(kSpare * m, kShortest))) {
    near_.reserve(std::min(longest_, static_cast<std::size_t>(rows.vectors.size(0))));
  }

  /// Scores [n] of the rows from `first` on, each at most `slack` from the exact one.
  void add(const float* scores, std::int64_t n, std::int64_t first, float slack) {
    slack_ = std::max(slack_, slack);
    set_threshold(at_least_);
    for (std::int64_t begin = 0; begin < n; begin += kChunk) {
      const std::int64_t count = std::min(kChunk, n - begin);
      float best = -std::numeric_limits<float>::infinity();
      for (std::int64_t i = 0; i < count; ++i) best = std::max(best, scores[begin + i]);
      if (best < threshold_) continue;
      for (std::int64_t i = begin; i < begin + count; ++i) {
        if (scores[i] >= threshold_) near_.push_back({scores[i], static_cast<std::int32_t>(first + i)});
      }
      if (near_.size() + kChunk > longest_) shorten();
    }
  }

  /// Writes the m best keys, ascending; there may be fewer.
  void best(std::int64_t* keys) {
    drop_far();
    std::vector<std::int64_t> all;
    for (const Near& near : near_) all.push_back(key(near.row));
    const std::size_t count = std::min(m_, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
    std::copy_n(all.begin(), count, keys);
  }

 private:
  std::int64_t key(std::int32_t row) const {
    return selection_key(exact_score(query_, vectors_ + row * width_, width_), slots_[row]);
  }

  /// The exact score of the m-th best row is known to be `at_least`.
  void set_threshold(float at_least) {
    at_least_ = std::max(at_least_, at_least);
    threshold_ = std::max(kLowest, at_least_ - slack_);
  }

  void drop_far() {
    if (near_.size() <= m_) return;
    const auto last = near_.begin() + static_cast<std::ptrdiff_t>(m_ - 1);
    std::nth_element(near_.begin(), last, near_.end(), [](const Near& a, const Near& b) { return a.score > b.score; });
    set_threshold(last->score - slack_);
    std::erase_if(near_, [this](const Near& near) { return near.score < threshold_; });
  }

  void shorten() {
    drop_far();
    if (near_.size() <= longest_ / 2) return;
    // Scores that lie closer together than fp32 can tell apart.
    std::vector<std::pair<std::int64_t, Near>> keyed;
    for (const Near& near : near_) keyed.emplace_back(key(near.row), near);
    const auto last = keyed.begin() + static_cast<std::ptrdiff_t>(m_ - 1);
    std::nth_element(keyed.begin(), last, keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    set_threshold(score_of_key(last->first));
    near_.clear();
    for (auto one = keyed.begin(); one <= last; ++one) near_.push_back(one->second);
  }

  const Number* vectors_;
  const std::int64_t* slots_;
  std::int64_t width_;
  const float* query_;
  std::size_t m_;
  std::size_t longest_;
  /// How far fp32 scores of the rows so far, and what is rounded on their way here, may be off.
  float slack_ = 0.0F;
  float at_least_ = kLowest;
  /// Rows whose fp32 score is below it are none of the m best.
  float threshold_ = kLowest;
  std::vector<Near> near_;
};

/// Returns false, with nothing in `best`, when a number is not finite.
template <typename Number>
bool screen(const Rows& rows, const Candidates& candidates, const at::Tensor& best) {
  const at::Tensor queries = candidates.queries.detach().contiguous();
  const std::int64_t count = queries.size(0);
  const std::int64_t width = queries.size(1);
  const double unit = (static_cast<double>(width) + kFurtherRoundings) * kUnitRoundoff;
  const at::Tensor sums = queries.abs().sum(1, false, at::kDouble);  // [Q] |q|_1
  const double* sum = sums.const_data_ptr<double>();
  if (!std::isfinite(largest_magnitude(sums))) return false;
  std::vector<Shortlist<Number>> lists;
  for (std::int64_t query = 0; query < count; ++query) {
    lists.emplace_back(rows, queries.const_data_ptr<float>() + query * width, best.size(1));
  }
  CandidateSweep sweep(rows, candidates);
  for (const Leaf& leaf : rows.leaves) {
    if (leaf.valid == 0) continue;
    sweep.enter(leaf);
    const at::Tensor vectors = rows.vectors.narrow(0, leaf.begin, leaf.size()).to(at::kFloat);  // [n, d]
    const double most = largest_magnitude(vectors);
    for (std::int64_t begin = 0; begin < count; begin += kQueryBlock) {
      const Range block{begin, std::min(begin + kQueryBlock, count)};
      const at::Tensor scores = queries.narrow(0, begin, block.size()).mm(vectors.t());  // [b, n]
      if (!std::isfinite(largest_magnitude(scores))) return false;
      sweep.tile(block).hide(scores);
      const float* values = scores.const_data_ptr<float>();
      share_out(block.size(), [&](std::int64_t i) {
        const double slack = unit * sum[begin + i] * most + 2.0 * static_cast<double>(width) * kLeastNormal;
        lists[static_cast<std::size_t>(begin + i)].add(values + i * leaf.size(), leaf.size(), leaf.begin,
                                                       static_cast<float>(slack));
      });
    }
  }
  auto* keys = best.mutable_data_ptr<std::int64_t>();
  share_out(count, [&](std::int64_t i) { lists[static_cast<std::size_t>(i)].best(keys + i * best.size(1)); });
  return true;
}

bool serves(const Rows& rows, const Candidates& candidates, const SelectionOrder& order) {
  const at::Tensor& queries = candidates.queries;
  const at::ScalarType type = rows.vectors.scalar_type();
  return order.by == SelectionOrder::By::kScore && !rows.order_factors.defined() && candidates.windows.empty() &&
         queries.is_cpu() && rows.vectors.is_cpu() && queries.scalar_type() == at::kFloat &&
         rows.vectors.is_contiguous() && rows.slots.is_contiguous() &&
         (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf) &&
         rows.vectors.size(0) <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

std::optional<at::Tensor> screened_best_keys(const Rows& rows, const Candidates& candidates,
                                             const SelectionOrder& order, std::int64_t m) {
  if (!serves(rows, candidates, order)) return std::nullopt;
  const at::NoGradGuard no_grad;
  const at::Tensor best = at::full({candidates.queries.size(0), m}, kAfterAllKeys, at::kLong);
  if (best.numel() == 0) return best;
  bool screened = false;
  switch (rows.vectors.scalar_type()) {
    case at::kBFloat16:
      screened = screen<at::BFloat16>(rows, candidates, best);
      break;
    case at::kHalf:
      screened = screen<at::Half>(rows, candidates, best);
      break;
    default:
      screened = screen<float>(rows, candidates, best);
  }
  return screened ? std::optional(best) : std::nullopt;
}

}  // namespace negatron
