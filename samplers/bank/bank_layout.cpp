#include "samplers/bank/bank_layout.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace negatron {
namespace {

/// Beyond what a bank may hold (2^32 rows) by far, and small enough that products of two counts do not overflow.
constexpr std::int64_t kMostCells = std::int64_t{1} << 40;

/// The inverse of share(): which rank holds item `item` of `count`.
int rank_of(std::int64_t item, std::int64_t count, int ranks) {
  // share() gives the first `count % ranks` ranks one item more. 7 items on 3 ranks: shares 3, 2, 2, so items 0 to 2
  // lie in larger shares, and item 5 lies (5 - 3) / 2 = 1 rank behind rank 1, the first with a smaller share: rank 2.
  // With a quotient of 0 every item lies in a larger share, so the second division is never by 0.
  const std::int64_t quotient = count / ranks;
  const std::int64_t remainder = count % ranks;
  const std::int64_t in_larger_shares = remainder * (quotient + 1);
  if (item < in_larger_shares) return static_cast<int>(item / (quotient + 1));
  return static_cast<int>(remainder + (item - in_larger_shares) / quotient);
}

std::int64_t at_least_one(std::int64_t value, const char* what) {
  if (value < 1) throw std::invalid_argument(std::string("the bank needs at least one ") + what);
  return value;
}

}  // namespace

bool is_table(const BankLayoutState& state) {
  return state.columns == 1 && state.height == state.capacity && state.head == state.capacity &&
         state.batches.size() == 1 && state.batches.front().start == 0 && state.batches.front().size == state.capacity;
}

BankLayout::BankLayout(std::int64_t capacity, int ranks, std::int64_t expected_batch)
    : capacity_(at_least_one(capacity, "row")),
      ranks_(static_cast<int>(at_least_one(ranks, "rank"))),
      height_(at_least_one(expected_batch, "key per batch")),
      columns_((capacity + expected_batch - 1) / expected_batch) {}

BankLayout::BankLayout(const BankLayoutState& state, int ranks)
    : capacity_(at_least_one(state.capacity, "row")),
      ranks_(static_cast<int>(at_least_one(ranks, "rank"))),
      height_(at_least_one(state.height, "key per batch")),
      columns_(at_least_one(state.columns, "column")),
      head_(state.head),
      next_number_(state.next_number),
      batches_(state.batches.begin(), state.batches.end()) {
  // A state comes from a file, so nothing of it is taken for granted: each of these, if wrong, would show much later as
  // a row that answers to another slot. Sizes are checked before they are multiplied.
  const auto require = [](bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(std::string("the state of the bank contradicts itself: ") + what);
  };
  require(head_ >= 0 && next_number_ >= 0, "a count is negative");
  require(capacity_ < kMostCells && columns_ < kMostCells / height_, "its grid is larger than any bank");
  require(static_cast<std::int64_t>(batches_.size()) <= columns_, "it has more batches than columns");
  std::int64_t number = next_number_ - static_cast<std::int64_t>(batches_.size());
  std::int64_t start = batches_.empty() ? head_ : batches_.front().start;
  require(number >= 0 && start >= 0, "a batch begins before the first");
  for (const BankBatch& batch : batches_) {
    require(batch.number == number++ && batch.start == start, "its batches do not follow each other");
    require(batch.size >= 1 && batch.size <= height_, "a batch does not fit its grid");
    require(batch.step >= -1, "a step is negative");
    start = batch.end();
  }
  require(start == head_, "its batches do not end at its head");
  if (batches_.empty()) {
    require(head_ == 0, "keys without a batch");
  } else {
    require(batches_.front().start <= floor() && batches_.front().end() > floor(),
            "its oldest batch does not hold its oldest key");
  }
}

BankLayoutState BankLayout::state() const {
  return {capacity_, columns_, height_, head_, next_number_, {batches_.begin(), batches_.end()}};
}

void BankLayout::append(std::int64_t size, std::int64_t step) {
  if (size < 0) throw std::invalid_argument("a batch of keys cannot have a negative size");
  if (size == 0) return;
  batches_.push_back({next_number_++, head_, size, step});
  head_ += size;
  // A batch is kept while one of its keys counts: at most one batch is partly expired, the oldest.
  while (batches_.front().end() <= floor()) batches_.pop_front();
  // Batches smaller than expected need more columns. An eighth at a time keeps both moves and empty columns few.
  constexpr std::int64_t kGrowthDivisor = 8;
  const auto live = static_cast<std::int64_t>(batches_.size());
  while (columns_ < live) columns_ += std::max<std::int64_t>(1, columns_ / kGrowthDivisor);
  // Neither number ever shrinks: a grid that has moved once for an odd batch does not move back and forth.
  height_ = std::max(height_, size);
}

std::vector<std::int64_t> BankLayout::rows_of(int rank, Range sequence) const {
  std::vector<std::int64_t> rows;
  for (const BankBatch& batch : batches_) {
    // From the batch's sequence numbers to offsets in it, cut to this rank's share; both ends may lie outside.
    if (batch.end() <= sequence.begin) continue;
    if (batch.start >= sequence.end) break;
    const Range own = share(batch.size, ranks_, rank);
    const std::int64_t first = std::max(sequence.begin - batch.start, own.begin);
    const std::int64_t last = std::min(sequence.end - batch.start, own.end);
    for (std::int64_t offset = first; offset < last; ++offset) {
      rows.push_back((offset - own.begin) * columns_ + column_of(batch));
    }
  }
  return rows;
}

const BankBatch* BankLayout::batch_of(std::int64_t slot) const {
  if (slot < 0 || slot >= capacity_) {
    throw std::invalid_argument("slot " + std::to_string(slot) + " is outside the bank of " +
                                std::to_string(capacity_) + " rows");
  }
  if (slot >= head_) return nullptr;
  // The last batch that begins at or before the key. There is one: the slot was written and its key counts, and the
  // oldest batch holds the oldest key that counts.
  const auto after = std::upper_bound(batches_.begin(), batches_.end(), sequence_of(slot),
                                      [](std::int64_t value, const BankBatch& batch) { return value < batch.start; });
  return &*std::prev(after);
}

std::optional<BankPlace> BankLayout::place_of(std::int64_t slot) const {
  const BankBatch* batch = batch_of(slot);
  if (batch == nullptr) return std::nullopt;
  const std::int64_t offset = sequence_of(slot) - batch->start;
  const int rank = rank_of(offset, batch->size, ranks_);
  return BankPlace{rank, (offset - share(batch->size, ranks_, rank).begin) * columns_ + column_of(*batch)};
}

BankPlaces BankLayout::places_of(const at::Tensor& slots) const {
  const at::Tensor host = slots.to(at::kCPU, at::kLong).contiguous();
  BankPlaces places{at::full_like(host, -1), at::full_like(host, -1)};
  const auto* slot = host.const_data_ptr<std::int64_t>();
  auto* rank = places.ranks.mutable_data_ptr<std::int64_t>();
  auto* row = places.rows.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < host.numel(); ++i) {
    if (slot[i] < 0) continue;
    if (const std::optional<BankPlace> place = place_of(slot[i])) {
      rank[i] = place->rank;
      row[i] = place->row;
    }
  }
  return {places.ranks.to(slots.device()), places.rows.to(slots.device())};
}

std::optional<BankOrigin> BankLayout::origin_of(std::int64_t slot) const {
  const BankBatch* batch = batch_of(slot);
  if (batch == nullptr) return std::nullopt;
  return BankOrigin{batch->size, sequence_of(slot) - batch->start};
}

double BankLayout::mean_age(std::int64_t step) const {
  std::int64_t keys = 0;
  double age = 0.0;
  for (const BankBatch& batch : batches_) {
    if (batch.step < 0) continue;
    const std::int64_t counted = batch.end() - std::max(batch.start, floor());
    keys += counted;
    age += static_cast<double>(counted) * static_cast<double>(step - batch.step);
  }
  return keys == 0 ? 0.0 : age / static_cast<double>(keys);
}

}  // namespace negatron
