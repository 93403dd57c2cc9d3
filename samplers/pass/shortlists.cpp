#include "samplers/pass/shortlists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "samplers/pass/rank_bound.h"
#include "samplers/pass/sample_rank.h"
#include "samplers/pass/selection_key.h"
#include "samplers/pass/sort_keys.h"
#include "samplers/pass/task_threads.h"

namespace negatron {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Exact scores are taken of so many queries at a time, of so many rows at a time: 512 KiB of bf16 with d = 128.
constexpr std::int64_t kQueryBlock = 256;
constexpr std::int64_t kSliceRows = 2048;

float below(double number) {
  return std::nextafter(static_cast<float>(number), -kInfinity);
}

std::vector<float> scores_of(std::span<const NearRow> rows) {
  std::vector<float> scores(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) scores[i] = rows[i].score;
  return scores;
}

/// Asks for rows [n, d] in the second-level cache: lists of them are read in no order that the processor foresees.
void fetch_ahead(const at::Tensor& rows) {
  constexpr std::int64_t kCacheLine = 64;
  constexpr int kToRead = 0, kSecondLevel = 2;
  const auto* const first = static_cast<const char*>(rows.const_data_ptr());
  const auto bytes = static_cast<std::int64_t>(rows.nbytes());
  for (std::int64_t b = 0; b < bytes; b += kCacheLine) __builtin_prefetch(first + b, kToRead, kSecondLevel);
}

std::vector<double> lengths_of(const at::Tensor& queries) {
  const at::Tensor lengths = queries.norm(2, 1);
  const double* begin = lengths.const_data_ptr<double>();
  return {begin, begin + lengths.numel()};
}

}  // namespace

Shortlists::Shortlists(const PassKernel& kernel, RowFormat format, const at::Tensor& queries, const QueryPanels& panels,
                       const at::Tensor& rows, const at::Tensor& slots, std::int64_t valid, std::int64_t m)
    : kernel_(kernel),
      format_(format),
      queries_(queries.to(at::kDouble)),
      rows_(rows),
      slots_(slots.contiguous()),
      valid_(valid),
      m_(m),
      sample_(negatron::sample_size(m, valid)),
      lengths_(lengths_of(queries_)),
      rounding_(panels.rounding()),
      bound_{.width = queries.size(1), .parts = panels.parts()},
      thresholds_(static_cast<std::size_t>(panels.vectors() * kernel.lanes), kInfinity) {
  std::fill_n(thresholds_.begin(), queries.size(0), -kInfinity);
}

void Shortlists::set_thresholds(Range queries, const NearLists& sample) {
  for (std::int64_t query = queries.begin; query < queries.end; ++query) {
    const std::int64_t i = query - queries.begin;
    const std::int64_t rank = rank_in_sample(m_, sample.count(i), valid_);
    const double most = limit(query, sample.largest_square());
    if (rank > sample.count(i) || !(most < ScoreBound::kLargest)) continue;
    const double bound = rank_bound(scores_of(sample.rows(i)), rank, static_cast<float>(most));
    thresholds_[static_cast<std::size_t>(query)] = below(bound - 2.0 * slack(query, sample.largest_square()));
  }
}

std::int64_t Shortlists::capacity(std::int64_t rows, std::int64_t largest_leaf) const {
  if (sample_ == 0) return rows;
  return std::min(rows, list_capacity(m_, sample_, valid_) + largest_leaf);
}

void Shortlists::keep(std::int64_t task, Range queries, const NearLists& lists) {
  Found& found = found_[static_cast<std::size_t>(task)];
  found.queries = queries;
  found.largest_square = lists.largest_square();
  std::size_t noted = 0;
  for (std::int64_t i = 0; i < queries.size(); ++i) noted += static_cast<std::size_t>(lists.count(i));
  found.rows.reserve(noted);
  for (std::int64_t i = 0; i < queries.size(); ++i) {
    const std::span<const NearRow> rows = lists.rows(i);
    found.rows.insert(found.rows.end(), rows.begin(), rows.end());
    found.ends.push_back(static_cast<std::int64_t>(found.rows.size()));
    found.stopped.push_back(lists.stopped(i));
  }
}

Shortlists::Best Shortlists::best() const {
  double largest_square = 0.0;
  for (const Found& found : found_) {
    largest_square = std::max(largest_square, static_cast<double>(found.largest_square));
  }
  const std::int64_t count = queries_.size(0);
  const std::int64_t slices = (rows_.size(0) + kSliceRows - 1) / kSliceRows;
  Best best{at::full({count, m_}, kAfterAllKeys, at::kLong), {}};
  auto* keys = best.keys.mutable_data_ptr<std::int64_t>();
  const at::Tensor known = at::empty({count}, at::kBool);
  for (std::int64_t begin = 0; begin < count; begin += kQueryBlock) {
    std::vector<Near> block(static_cast<std::size_t>(std::min(kQueryBlock, count - begin)));
    const auto queries = static_cast<std::int64_t>(block.size());
    const auto each = [&](const auto& visit) {
      share_out(queries, [&](std::int64_t i) { visit(begin + i, block[static_cast<std::size_t>(i)]); });
    };
    each([&](std::int64_t query, Near& near) {
      near = near_rows(query, largest_square);
      known.mutable_data_ptr<bool>()[query] = near.known;
    });
    // Slice by slice, so that a row comes from memory once for all queries of the block.
    share_out(slices, [&](std::int64_t slice) {
      fetch_ahead(rows_.narrow(0, slice * kSliceRows, std::min(kSliceRows, rows_.size(0) - slice * kSliceRows)));
      for (std::int64_t i = 0; i < queries; ++i) {
        score(begin + i, static_cast<std::size_t>(slice), block[static_cast<std::size_t>(i)]);
      }
    });
    each([&](std::int64_t query, const Near& near) { write_keys(near, keys + query * m_); });
  }
  best.unknown = known.logical_not().nonzero().squeeze(1);
  return best;
}

Shortlists::Near Shortlists::near_rows(std::int64_t query, double largest_square) const {
  std::vector<NearRow> rows;
  for (const Found& found : found_) {
    if (query < found.queries.begin || query >= found.queries.end) continue;
    const auto i = static_cast<std::size_t>(query - found.queries.begin);
    if (found.stopped[i]) return {};
    const std::int64_t begin = i == 0 ? 0 : found.ends[i - 1];
    rows.insert(rows.end(), found.rows.begin() + begin, found.rows.begin() + found.ends[i]);
  }
  const float threshold = thresholds_[static_cast<std::size_t>(query)];
  const bool all_noted = threshold == -kInfinity;
  const auto noted = static_cast<std::int64_t>(rows.size());
  const double most = limit(query, largest_square);
  if (!(most < ScoreBound::kLargest) || (noted < m_ && !all_noted)) return {};
  float bound = -kInfinity;
  if (noted >= m_) {
    const double least = rank_bound(scores_of(rows), m_, static_cast<float>(most));
    bound = below(least - 2.0 * slack(query, largest_square));
    if (!(threshold < bound) && !all_noted) return {};
  }
  Near near;
  near.rows.resize(rows.size());
  std::size_t kept = 0;
  for (const NearRow& row : rows) {
    near.rows[kept] = row.row;
    kept += row.score >= bound ? 1 : 0;
  }
  near.rows.resize(kept);
  for (std::size_t i = 0; i < near.rows.size(); ++i) {
    const auto slice = static_cast<std::size_t>(near.rows[i] / kSliceRows);
    while (near.cuts.size() <= slice) near.cuts.push_back(static_cast<std::int64_t>(i));
  }
  near.cuts.resize(static_cast<std::size_t>(rows_.size(0) / kSliceRows) + 2,
                   static_cast<std::int64_t>(near.rows.size()));
  near.scores.resize(near.rows.size());
  near.known = true;
  return near;
}

void Shortlists::score(std::int64_t query, std::size_t slice, Near& near) const {
  if (!near.known || near.cuts[slice] == near.cuts[slice + 1]) return;
  const std::int64_t width = queries_.size(1);
  kernel_.exact_scores({.query = queries_.const_data_ptr<double>() + query * width,
                        .width = width,
                        .rows = rows_.const_data_ptr(),
                        .format = format_,
                        .row_stride = width,
                        .list = near.rows.data() + near.cuts[slice],
                        .count = near.cuts[slice + 1] - near.cuts[slice],
                        .workspace = thread_memory(kExactRows * width),
                        .scores = near.scores.data() + near.cuts[slice]});
}

void Shortlists::write_keys(const Near& near, std::int64_t* keys) const {
  const std::size_t count = near.scores.size();
  const auto* slots = slots_.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> all(2 * count);
  for (std::size_t i = 0; i < count; ++i) all[i] = selection_key(near.scores[i], slots[near.rows[i]]);
  sort_keys(all.data(), static_cast<std::int64_t>(count), all.data() + count);
  std::copy_n(all.begin(), std::min(m_, static_cast<std::int64_t>(count)), keys);
}

double Shortlists::slack(std::int64_t query, double largest_square) const {
  const auto i = static_cast<std::size_t>(query);
  return bound_.error(lengths_[i], rounding_[i], largest_square);
}

double Shortlists::limit(std::int64_t query, double largest_square) const {
  const auto i = static_cast<std::size_t>(query);
  return bound_.limit(lengths_[i], rounding_[i], largest_square);
}

}  // namespace negatron
