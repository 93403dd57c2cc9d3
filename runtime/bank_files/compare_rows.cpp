#include "runtime/bank_files/compare_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "runtime/bank_files/listed_rows.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// A NaN stays one.
double larger(double a, double b) {
  return a > b || std::isnan(a) ? a : b;
}

/// Adds the pairs of two blocks of rows, row beside row, by their vectors: what rows of distances have beside follows
/// from these.
void add_pairs(const at::Tensor& a, const at::Tensor& b, RowLength length, RowAgreement& agreement) {
  if (a.size(0) == 0) return;
  const at::Tensor x = vectors_of_rows(a, length).to(at::kDouble), y = vectors_of_rows(b, length).to(at::kDouble);
  const double difference = (x - y).abs().max().item<double>();
  // -infinity for a row of zeros beside another would be nobody's cosine: two equal rows agree.
  const at::Tensor norms = x.norm(2, 1) * y.norm(2, 1);
  const at::Tensor cosines = at::where(norms > 0.0, (x * y).sum(1) / norms, (x == y).all(1).to(at::kDouble));
  const double cosine = cosines.min().item<double>();
  const bool is_first = agreement.pairs == 0;
  agreement.largest_difference = is_first ? difference : larger(agreement.largest_difference, difference);
  agreement.smallest_cosine = is_first ? cosine : -larger(-agreement.smallest_cosine, -cosine);
  agreement.pairs += a.size(0);
}

/// Both banks side by side from their oldest keys. False as soon as two keys are not of the same id and step.
bool compare_in_order(const OpenBank& a, const OpenBank& b, std::int64_t rows, RowAgreement& agreement) {
  if (a.layout().filled() != b.layout().filled()) return false;
  BankReader of_a = a.reader(rows), of_b = b.reader(rows);
  const std::int64_t first_a = a.layout().floor(), first_b = b.layout().floor();
  for (std::int64_t begin = 0; begin < a.layout().filled(); begin += rows) {
    const std::int64_t end = std::min(begin + rows, a.layout().filled());
    const BankBlock x = of_a.read({first_a + begin, first_a + end}), y = of_b.read({first_b + begin, first_b + end});
    if (!at::equal(x.ids, y.ids) || !at::equal(x.steps, y.steps)) return false;
    add_pairs(x.vectors, y.vectors, a.bank().length, agreement);
  }
  return true;
}

/// Finds the row of a bank that is the same key as another bank's.
class KeyIndex {
 public:
  KeyIndex(const OpenBank& bank, std::int64_t rows) {
    entries_.reserve(static_cast<std::size_t>(bank.layout().filled()));
    for_each_block(bank, rows, [this](const BankBlock& block) {
      const auto* id = block.ids.const_data_ptr<std::int64_t>();
      const auto* step = block.steps.const_data_ptr<std::int64_t>();
      const auto* sequence = block.sequence.const_data_ptr<std::int64_t>();
      for (std::int64_t i = 0; i < block.ids.size(0); ++i) entries_.push_back({id[i], step[i], sequence[i]});
    });
    std::sort(entries_.begin(), entries_.end());
    taken_.assign(entries_.size(), 0);
  }

  /// The oldest of the same id and step that was not taken yet; -1 for none.
  std::int64_t take(std::int64_t id, std::int64_t step) {
    const auto first = std::lower_bound(entries_.begin(), entries_.end(), Entry{id, step, -1});
    if (first == entries_.end() || !first->is_of(id, step)) return -1;
    // How many of them were taken stands at the first.
    std::int64_t& taken = taken_[static_cast<std::size_t>(first - entries_.begin())];
    if (entries_.end() - first <= taken || !first[taken].is_of(id, step)) return -1;
    return first[taken++].sequence;
  }

  static constexpr std::int64_t kBytesPerRow = 4 * sizeof(std::int64_t);

 private:
  struct Entry {
    std::int64_t id;
    std::int64_t step;
    std::int64_t sequence;
    bool is_of(std::int64_t other_id, std::int64_t other_step) const { return id == other_id && step == other_step; }
    bool operator<(const Entry& other) const {
      return std::tie(id, step, sequence) < std::tie(other.id, other.step, other.sequence);
    }
  };

  std::vector<Entry> entries_;
  std::vector<std::int64_t> taken_;
};

/// The rows of `block` that have a pair in B, and which row that is.
void compare_block(const BankBlock& block, RowLength length, KeyIndex& index, BankReader& of_b,
                   RowAgreement& agreement) {
  const auto* id = block.ids.const_data_ptr<std::int64_t>();
  const auto* step = block.steps.const_data_ptr<std::int64_t>();
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;  // row of B, row of the block
  for (std::int64_t i = 0; i < block.ids.size(0); ++i) {
    const std::int64_t other = index.take(id[i], step[i]);
    if (other >= 0) pairs.emplace_back(other, i);
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::int64_t> rows_of_b, rows_of_block;
  for (const auto& [other, row] : pairs) {
    rows_of_b.push_back(other);
    rows_of_block.push_back(row);
  }
  const BankBlock others = read_listed(of_b, rows_of_b);
  add_pairs(block.vectors.index_select(0, at::tensor(rows_of_block, at::kLong)), others.vectors, length, agreement);
}

}  // namespace

RowAgreement compare_rows(const OpenBank& a, const OpenBank& b, BankMemory memory) {
  RowAgreement agreement;
  if (a.bank().width != b.bank().width) {
    agreement.why_not = "rows of another width have no difference";
    return agreement;
  }
  if ((a.bank().length == RowLength::kDistance) != (b.bank().length == RowLength::kDistance)) {
    agreement.why_not = "rows of distances have no difference from others";
    return agreement;
  }
  // Blocks of both, and what is computed from them in fp64.
  const auto computed = static_cast<std::int64_t>(6 * sizeof(double)) * a.bank().width;
  const std::int64_t bytes = a.bytes_while_reading() + b.bytes_while_reading() + computed;
  if (compare_in_order(a, b, memory.fitting(bytes), agreement)) {
    agreement.all_in_order = true;
    return agreement;
  }
  agreement = {};
  try {
    memory.reserve(KeyIndex::kBytesPerRow * b.layout().filled(), "pairing rows that are in another order");
  } catch (const std::invalid_argument& error) {
    agreement.why_not = error.what();
    return agreement;
  }
  const std::int64_t rows = memory.fitting(bytes);
  KeyIndex index(b, rows);
  BankReader of_b = b.reader(rows);
  for_each_block(a, rows,
                 [&](const BankBlock& block) { compare_block(block, a.bank().length, index, of_b, agreement); });
  if (agreement.pairs == 0) agreement.why_not = "no row of A is the same key as one of B";
  return agreement;
}

}  // namespace negatron
