#include "runtime/bank_files/near_rows.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "comm/require.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/row_norms.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

constexpr double kNoScore = -std::numeric_limits<double>::infinity();
/// Of a score and its row: the score, four numbers of 64 bits, and the same while the best are picked.
constexpr std::int64_t kBytesPerAnswer = 2 * 5 * sizeof(double);

/// Row `index` of rows [m, d], which is row `number` of the file; `any` takes every length.
void check_query(const at::Tensor& rows, std::int64_t index, double norm, std::int64_t number, bool normalize,
                 bool any) {
  const std::string row = "Row " + std::to_string(number) + " of the queries";
  require(!std::isnan(norm), row + " holds a number that is not finite.");
  require(!normalize || norm > 0.0, row + " is zero and has no direction that --normalize could keep.");
  require(normalize || any || is_unit_row(rows, index, norm),
          row + " has norm " + std::to_string(norm) + " and not 1; --normalize scales rows.");
}

/// The best of the rows seen so far.
class BestRows {
 public:
  BestRows(const NearQueries& queries, std::int64_t top, RowLength length)
      : queries_(queries), asking_(queries_of_vectors(queries.vectors, length)), top_(top), length_(length) {
    const auto none = [&] { return at::full({queries.count(), top}, -1, at::kLong); };
    best_ = {at::full({queries.count(), top}, kNoScore, at::kDouble), none(), none(), none(), none()};
  }

  void add(const BankBlock& block) {
    // Further numbers of rows are made anew, in fp64: a vector is at a distance of 0 from itself.
    const at::Tensor vectors = vectors_of_rows(block.vectors, length_).to(at::kDouble);
    at::Tensor scores = asking_.mm(rows_of_vectors(vectors, length_).t());  // [n, m]
    const at::Tensor own = queries_.ids.unsqueeze(1).eq(block.ids.unsqueeze(0)).logical_and_(block.ids.ge(0));
    // A row that is not finite is near to nothing.
    scores.masked_fill_(own.logical_or_(scores.isnan()), kNoScore);
    // Blocks come oldest first, so of equal scores the older key stands in front, and a stable sort leaves it there.
    const at::Tensor all = at::cat({best_.scores, scores}, 1);
    const at::Tensor order = std::get<1>(all.sort(/*stable=*/true, 1, /*descending=*/true)).narrow(1, 0, top_);
    const auto pick = [&](at::Tensor& kept, const at::Tensor& added) {
      kept = at::cat({kept, added.unsqueeze(0).expand({kept.size(0), added.size(0)})}, 1).gather(1, order);
    };
    best_.scores = all.gather(1, order);
    pick(best_.sequence, block.sequence);
    pick(best_.ids, block.ids);
    pick(best_.labels, block.labels);
    pick(best_.steps, block.steps);
  }

  /// Rows that were passed over may have filled a list that is too long.
  NearRows take() {
    const at::Tensor none = best_.scores.eq(kNoScore);
    for (at::Tensor* numbers : {&best_.sequence, &best_.ids, &best_.labels, &best_.steps}) {
      numbers->masked_fill_(none, -1);
    }
    return std::move(best_);
  }

 private:
  const NearQueries& queries_;
  at::Tensor asking_;  // [n, w]
  std::int64_t top_;
  RowLength length_;
  NearRows best_;
};

}  // namespace

NearQueries queries_of_matrix(const OpenBank& bank, const MatrixFile& matrix, Range rows, bool normalize,
                              const BankMemory& memory) {
  require(!matrix.means_transpose(), "The queries lie in Fortran order; save them in C order.");
  const RowLength length = bank.bank().length;
  const std::int64_t width = vector_width(length, bank.bank().width);
  require(matrix.columns() == width,
          "The queries are " + std::to_string(matrix.columns()) + " wide, the " +
              (length == RowLength::kDistance ? "vectors, as --embeddings and bank extract write them," : "rows") +
              " of the bank " + std::to_string(width) + ".");
  require(rows.begin >= 0 && rows.end <= matrix.rows() && rows.size() > 0,
          "--range " + std::to_string(rows.begin) + ":" + std::to_string(rows.end) + " is not part of the " +
              std::to_string(matrix.rows()) + " rows of the queries.");
  BankMemory(memory).reserve(rows.size() * matrix.columns() * kNormBytesPerElement,
                             std::to_string(rows.size()) + " queries");
  const at::Tensor block = matrix.read_rows(rows.begin, rows.size());
  const at::Tensor norms = row_norms(block);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    check_query(block, i, norms.const_data_ptr<double>()[i], rows.begin + i, normalize, length != RowLength::kUnit);
  }
  return {normalize ? normalized_rows(block) : block.to(at::kDouble), at::full({rows.size()}, -1, at::kLong)};
}

NearQueries queries_of_samples(const OpenBank& bank, const std::vector<std::int64_t>& ids, const BankMemory& memory,
                               std::vector<std::int64_t>& missing) {
  FoundKeys found = find_keys(bank, KeyColumn::kId, ids, memory);
  missing = std::move(found.missing);
  BankReader reader = bank.reader(1);
  // The newest key of each sample.
  std::unordered_map<std::int64_t, at::Tensor> keys;
  for (auto key = found.sequence.rbegin(); key != found.sequence.rend(); ++key) {
    const BankBlock row = reader.read({*key, *key + 1});
    keys.try_emplace(row.ids.item<std::int64_t>(), vectors_of_rows(row.vectors, bank.bank().length).to(at::kDouble));
    BankMemory(memory).reserve(static_cast<std::int64_t>(keys.size()) * bank.bank().width * kNormBytesPerElement,
                               "the keys of these samples");
  }
  if (keys.empty()) {
    const std::int64_t width = vector_width(bank.bank().length, bank.bank().width);
    return {at::empty({0, width}, at::kDouble), at::empty({0}, at::kLong)};
  }
  // In the order in which they are asked for, each once.
  std::vector<at::Tensor> vectors;
  std::vector<std::int64_t> samples;
  for (const std::int64_t id : ids) {
    const auto key = keys.find(id);
    if (key == keys.end()) continue;
    samples.push_back(id);
    vectors.push_back(key->second);
    keys.erase(key);
  }
  return {at::cat(vectors), at::tensor(samples, at::kLong)};
}

NearRows near_rows(const OpenBank& bank, const NearQueries& queries, std::int64_t top, BankMemory memory) {
  require(top >= 1, "--top must be at least 1.");
  const std::int64_t queries_bytes = queries.count() * (bank.bank().width * static_cast<std::int64_t>(sizeof(double)));
  memory.reserve(queries_bytes + queries.count() * top * kBytesPerAnswer,
                 std::to_string(top) + " rows for each of " + std::to_string(queries.count()) + " queries");
  const std::int64_t row_bytes = bank.bytes_while_reading() +
                                 bank.bank().width * static_cast<std::int64_t>(sizeof(double)) +
                                 queries.count() * kBytesPerAnswer;
  BestRows best(queries, top, bank.bank().length);
  for_each_block(bank, memory.fitting(row_bytes), [&](const BankBlock& block) { best.add(block); });
  return best.take();
}

}  // namespace negatron
