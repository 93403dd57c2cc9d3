#include "samplers/pass/cpu/near_rows_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "samplers/cpu/task_threads.h"
#include "samplers/pass/cpu/rank_bound.h"
#include "samplers/pass/cpu/sort_keys.h"
#include "samplers/pass/selection/sample_rank.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {
namespace {

/// Exact scores are taken of so many queries at a time.
constexpr std::int64_t kExactQueries = 256;

/// Rounding to fp32 may go up; the next number below does not exceed what was meant. Bounds that are a little too low
/// let a few more rows through, ones that are too high would lose rows.
float below(double number) {
  return std::nextafter(static_cast<float>(number), -kInfiniteScore);
}

std::vector<double> lengths_of(const at::Tensor& queries) {
  const at::Tensor lengths = queries.norm(2, 1);
  const double* begin = lengths.const_data_ptr<double>();
  return {begin, begin + lengths.numel()};
}

}  // namespace

NearRowsSearch::NearRowsSearch(const PassKernel& kernel, SearchedRows rows, const at::Tensor& queries,
                               const QueryPanels& panels, std::int64_t m)
    : kernel_(kernel),
      rows_(std::move(rows)),
      queries_(queries.to(at::kDouble)),
      m_(m),
      sample_(negatron::sample_size(m, rows_.valid)),
      lengths_(lengths_of(queries_)),
      rounding_(panels.rounding()),
      bound_{.width = queries.size(1), .parts = panels.parts()},
      thresholds_(static_cast<std::size_t>(panels.vectors() * kernel.lanes), kInfiniteScore) {
  rows_.slots = rows_.slots.contiguous();
  // Every row is noted for a query until a sample says otherwise, none for the lanes that only pad.
  std::fill_n(thresholds_.begin(), queries.size(0), -kInfiniteScore);
}

void NearRowsSearch::set_thresholds(Range queries, const float* scores, std::int64_t rows, float largest_square) {
  const std::int64_t vectors = (queries.size() + kernel_.lanes - 1) / kernel_.lanes;
  const auto count = [&](const std::vector<float>& bounds, std::vector<float>& counts) {
    kernel_.count_above(scores, rows, vectors, bounds.data(), counts.data());
  };
  const auto lanes = static_cast<std::size_t>(vectors * kernel_.lanes);
  // `present` is how many sampled rows the query may meet: excluded ones score NaN, which lies above no bound.
  std::vector<float> present(lanes), ranks(lanes, 0.0f), limits(lanes, 0.0f);
  count(std::vector<float>(lanes, -kInfiniteScore), present);
  for (std::int64_t query = queries.begin; query < queries.end; ++query) {
    const auto i = static_cast<std::size_t>(query - queries.begin);
    const auto rank = static_cast<float>(rank_in_sample(m_, static_cast<std::int64_t>(present[i]), rows_.valid));
    const double most = limit(query, largest_square);
    // Too small a sample, or scores that may overflow or are NaN: the threshold stays at -infinity, and all rows are
    // noted.
    if (rank > present[i] || !(most < ScoreBound::kLargest)) continue;
    ranks[i] = rank;
    limits[i] = static_cast<float>(most);
  }
  const std::vector<float> bounds = rank_bounds(ranks, limits, count);
  for (std::int64_t query = queries.begin; query < queries.end; ++query) {
    const auto i = static_cast<std::size_t>(query - queries.begin);
    if (ranks[i] == 0.0f) continue;
    // Lowered by 2 e, so that the certificate of FORMULAS.md 8 can hold: t of the noted rows will be about this bound.
    thresholds_[static_cast<std::size_t>(query)] = below(bounds[i] - 2.0 * slack(query, largest_square));
  }
}

std::int64_t NearRowsSearch::capacity(std::int64_t rows, std::int64_t largest_leaf) const {
  if (sample_ == 0) return rows;
  // One leaf more than is expected, as make_room() asks for the room of a whole leaf before each.
  return std::min(rows, list_capacity(m_, sample_, rows_.valid) + largest_leaf);
}

void NearRowsSearch::keep(std::int64_t task, Range queries, const NearLists& lists, float largest_square) {
  Found& found = found_[static_cast<std::size_t>(task)];
  found.queries = queries;
  found.largest_square = largest_square;
  std::size_t noted = 0;
  for (std::int64_t i = 0; i < queries.size(); ++i) noted += static_cast<std::size_t>(lists.count(i));
  // Out of the thread's memory, which its next task uses again, into just as much as was noted.
  found.rows.reserve(noted);
  for (std::int64_t i = 0; i < queries.size(); ++i) {
    const std::span<const NearRow> rows = lists.rows(i);
    found.rows.insert(found.rows.end(), rows.begin(), rows.end());
    found.ends.push_back(static_cast<std::int64_t>(found.rows.size()));
    found.stopped.push_back(lists.stopped(i));
  }
}

std::span<const NearRow> NearRowsSearch::Found::rows_of(std::int64_t query) const {
  if (query < queries.begin || query >= queries.end) return {};
  const auto i = static_cast<std::size_t>(query - queries.begin);
  const std::int64_t begin = i == 0 ? 0 : ends[i - 1];
  return std::span(rows).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(ends[i] - begin));
}

NearRowsSearch::Best NearRowsSearch::best() const {
  // Of all tasks: a row that was not noted has an error too, and may be the longest.
  double largest_square = 0.0;
  for (const Found& found : found_) {
    largest_square = std::max(largest_square, static_cast<double>(found.largest_square));
  }
  const std::int64_t count = queries_.size(0);
  Best best{at::empty({count, m_}, at::kLong), {}};
  auto* keys = best.keys.mutable_data_ptr<std::int64_t>();
  const at::Tensor known = at::empty({count}, at::kBool);
  for (std::int64_t begin = 0; begin < count; begin += kExactQueries) {
    std::vector<ExactList> near(static_cast<std::size_t>(std::min(kExactQueries, count - begin)));
    const auto each = [&](const auto& visit) {
      share_out(static_cast<std::int64_t>(near.size()),
                [&](std::int64_t i) { visit(begin + i, near[static_cast<std::size_t>(i)]); });
    };
    each([&](std::int64_t query, ExactList& list) {
      known.mutable_data_ptr<bool>()[query] = find_near(query, largest_square, list.rows);
    });
    key_lists(kernel_, rows_.format, rows_.vectors, rows_.slots,
              queries_.const_data_ptr<double>() + begin * queries_.size(1), near);
    each([&](std::int64_t query, ExactList& list) { write_best(list.keys, keys + query * m_); });
  }
  best.unknown = known.logical_not().nonzero().squeeze(1);
  return best;
}

/// Which rows may be among the m best of a query, and whether that can be said at all. Say m = 2, e = 0.01 and noted
/// are rows that the kernel scored 0.90, 0.80, 0.79, 0.70, all those above the threshold 0.65. The second best of them
/// has 0.80, so at least two rows truly score 0.79 or more, and a row that is truly among the two best was scored 0.78
/// or more: the bound is 0.80 - 2 e. The threshold lies below it, so no such row went unnoted, and the first three rows
/// are the answer, whose exact scores decide. With a threshold of 0.785 a row scored 0.782 might be missing: then the
/// answer is open, as it is where fewer than m rows were noted or a list had no room.
bool NearRowsSearch::find_near(std::int64_t query, double largest_square, std::vector<std::int32_t>& near) const {
  std::size_t size = 0;
  for (const Found& found : found_) {
    const std::int64_t i = query - found.queries.begin;
    if (i >= 0 && i < found.queries.size() && found.stopped[static_cast<std::size_t>(i)]) return false;
    size += found.rows_of(query).size();
  }
  const std::span<float> scores(thread_memory(static_cast<std::int64_t>(2 * size)), size);
  const std::span<std::int32_t> rows(reinterpret_cast<std::int32_t*>(scores.data() + size), size);
  std::size_t at = 0;
  for (const Found& found : found_) {
    // Tasks are numbered node after node, and a node goes through its leaves in order: rows ascend, as key_lists()
    // wants them.
    for (const NearRow& row : found.rows_of(query)) {
      scores[at] = row.score;
      rows[at++] = row.row;
    }
  }
  const float threshold = thresholds_[static_cast<std::size_t>(query)];
  const bool all_noted = threshold == -kInfiniteScore;
  const auto noted = static_cast<std::int64_t>(scores.size());
  const double most = limit(query, largest_square);
  if (!(most < ScoreBound::kLargest) || (noted < m_ && !all_noted)) return false;
  float bound = -kInfiniteScore;
  if (noted >= m_) {
    const double least = rank_bound(scores, m_, static_cast<float>(most));
    bound = below(least - 2.0 * slack(query, largest_square));
    if (!(threshold < bound) && !all_noted) return false;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    rows[kept] = rows[i];
    kept += scores[i] >= bound ? 1 : 0;
  }
  near.assign(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept));
  return true;
}

void NearRowsSearch::write_best(std::vector<std::int64_t>& keys, std::int64_t* best) const {
  const auto count = static_cast<std::int64_t>(keys.size());
  sort_keys(keys.data(), count, reinterpret_cast<std::int64_t*>(thread_memory(2 * count)));
  // A query with fewer than m candidates keeps them all, and the rest means "none".
  std::int64_t* const end = std::copy_n(keys.begin(), std::min(m_, count), best);
  std::fill(end, best + m_, kAfterAllKeys);
}

double NearRowsSearch::slack(std::int64_t query, double largest_square) const {
  const auto i = static_cast<std::size_t>(query);
  return bound_.error(lengths_[i], rounding_[i], largest_square);
}

double NearRowsSearch::limit(std::int64_t query, double largest_square) const {
  const auto i = static_cast<std::size_t>(query);
  return bound_.limit(lengths_[i], rounding_[i], largest_square);
}

}  // namespace negatron
