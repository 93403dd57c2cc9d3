#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/bank_files/open_bank.h"
#include "runtime/matrices/matrix_file.h"

namespace negatron {

struct NearQueries {
  at::Tensor vectors;  // [n, d] fp64, unit rows where the bank's are; of a bank of distances, vectors
  /// [n] int64: rows of this sample are passed over; -1: no row is.
  at::Tensor ids;

  std::int64_t count() const { return vectors.size(0); }
};

/// For each query rows of the bank, the largest score first, of equal scores the older key. Where a query has fewer,
/// its last entries have score -infinity and sequence -1.
struct NearRows {
  /// [n, top] fp64: inner products with the query, which for unit rows are cosines, or -|q - n|^2 / 2
  at::Tensor scores;
  at::Tensor sequence;  // [n, top] int64, as the next three
  at::Tensor ids;
  at::Tensor labels;
  at::Tensor steps;
};

/// Rows `rows` of a matrix as queries. Local. Throws std::invalid_argument when it has other columns than the bank has
/// elements in a vector, when rows are asked for that it does not have, and for a row that is not finite or, for a bank
/// of unit rows, not of norm 1 (zero, when `normalize` scales the others); SnapshotError.
NearQueries queries_of_matrix(const OpenBank& bank, const MatrixFile& matrix, Range rows, bool normalize,
                              const BankMemory& memory);

/// The newest key of each of these samples, in the order in which they are asked for, each once; `missing` are those
/// that no key has. Throws as
/// find_keys (extract_rows.h).
NearQueries queries_of_samples(const OpenBank& bank, const std::vector<std::int64_t>& ids, const BankMemory& memory,
                               std::vector<std::int64_t>& missing);

/// The `top` rows nearest to each query, by fp64 products of what is stored, or fp64 distances of stored vectors. Reads
/// the bank once. Local. Throws std::invalid_argument when the answers do not fit into `memory`; SnapshotError.
NearRows near_rows(const OpenBank& bank, const NearQueries& queries, std::int64_t top, BankMemory memory);

}  // namespace negatron
