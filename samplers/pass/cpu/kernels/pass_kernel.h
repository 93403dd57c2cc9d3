#pragma once

#include <cstdint>

#include "samplers/pass/excluded_pair.h"

namespace negatron {

/// What FastPass and the vector code of one instruction set tell each other: plain numbers and pointers, because a
/// source compiled for an instruction set must not share an inline function with the rest of the program (the linker
/// keeps one copy of it, perhaps the one that this machine cannot run).
///
/// Layout. Queries lie in lanes: a group is up to `vectors` vectors of `lanes` queries, and everything about a group is
/// a panel [.][g], g its padded number of queries: its queries [d][g], its scores [rows][g], its sums [d][g]. So every
/// maximum, sum and exponential runs along lanes that do not meet, the rows are broadcast from where they lie, and the
/// answer for a query depends neither on its lane nor on the other queries. Groups follow each other.
///
/// Numbers. With s the score, x = log2(e) (scale s + bias) is split into an integer and a rest, and weights are
/// 2^(x - reference) with an *integer* reference a query. So references, and with them rescaling and merging, only move
/// exponents: no rounding, also of weights in bf16, depends on which rows came before.
inline constexpr int kMostKernelTerms = 2;

/// Rows that are scored at a time: their scores against a group, 24 KiB with 64 queries, stay in the first-level cache.
/// A multiple of the rows that products take at once (6) and of a pair.
inline constexpr std::int64_t kTileRows = 96;

/// What a partial holds of one query, in numbers: the largest score, and for each term the reference, the mass and,
/// where wanted, the d weighted sums. Partials of a group are panels [size][g].
struct PartialShape {
  std::int64_t width = 0;  // d
  int terms = 0;
  bool sums[kMostKernelTerms] = {};
  std::int64_t term_size[kMostKernelTerms] = {};
  std::int64_t size = 0;
};

enum class RowFormat { kFp32, kBf16, kFp16 };

/// A row that may be among the best of a query: its score as the kernel computes it, and its number, counted like
/// LeafScan::first_row.
struct NearRow {
  float score;
  std::int32_t row;
};

/// Where a scan notes, for each query of its block, the rows that score above its threshold. Lists lie `stride` rows
/// apart and have room for all rows of the scan.
struct NearRows {
  const float* thresholds = nullptr;  // [padded queries]
  NearRow* rows = nullptr;            // [padded queries][stride]
  std::int64_t stride = 0;
  std::int32_t* counts = nullptr;  // [padded queries]
};

/// Scores of listed rows with one query, in fp64: each the sum of 8 sums over every eighth product, which are exact, so
/// that all instruction sets agree bit for bit.
struct ExactScores {
  const double* query = nullptr;  // [width]
  const float* rows = nullptr;    // [any][width]
  std::int64_t width = 0;
  const std::int32_t* list = nullptr;  // [count]
  std::int64_t count = 0;
  std::int64_t first_row = 0;  // as lists count
  double* scores = nullptr;    // [count]
};

/// One leaf of rows against one block of queries.
struct LeafScan {
  const void* rows = nullptr;  // the leaf's first; consecutive numbers, `row_stride` from row to row
  RowFormat format = RowFormat::kFp32;
  std::int64_t row_stride = 0;
  std::int64_t row_count = 0;
  /// [row_count], null for none: log weights; 0 or -infinity for rows that may or may not score.
  const float* bias = nullptr;
  const float* validity = nullptr;
  /// [excluded_count] ordered by row; counted like the rows from `first_row`, like the queries from `first_query`.
  const ExcludedPair* excluded = nullptr;
  std::int64_t excluded_count = 0;
  std::int64_t first_row = 0;
  std::int64_t first_query = 0;

  const float* queries = nullptr;  // panels of all groups of the block
  std::int64_t query_vectors = 0;  // of `lanes` queries
  int query_parts = 1;             // what a query is the sum of: [parts][d][g] (bf16: 2 where 1 is too coarse)
  float scales[kMostKernelTerms] = {};
  bool want_max = false;
  NearRows* near = nullptr;  // null for none
  /// [row_count][g] the scores of the one group that the block is, NaN for what may not score; null for none.
  float* scores = nullptr;
  /// Raised to the largest |n|^2 of the rows that may score; infinite when one is not finite. Null for none.
  float* largest_square = nullptr;
  PartialShape shape;
  float* partial = nullptr;  // written, whatever it held
  float* workspace = nullptr;
};

/// The vector code of one instruction set.
struct PassKernel {
  int lanes = 0;
  int vectors = 0;
  /// Queries and rows meet as pairs of bf16, two numbers of d a word; else as fp32.
  bool pairs = false;
  /// Of a query of `width` numbers; those beyond them are 0.
  std::int64_t (*query_words)(std::int64_t width) = nullptr;
  std::int64_t (*workspace_size)(std::int64_t width) = nullptr;  // numbers
  void (*scan)(const LeafScan& leaf) = nullptr;
  /// left becomes the partial of both; over `query_vectors` queries.
  void (*merge)(const PartialShape& shape, std::int64_t query_vectors, float* left, const float* right) = nullptr;
  /// counts [g] of the scores [rows][g] of a group that lie above bounds [g].
  void (*count_above)(const float* scores, std::int64_t rows, std::int64_t query_vectors, const float* bounds,
                      float* counts) = nullptr;
  /// `count` numbers of rows as fp32.
  void (*widen)(RowFormat format, const void* from, std::int64_t count, float* to) = nullptr;
  void (*exact_scores)(const ExactScores& exact) = nullptr;
};

/// Each throws nothing and must be used only where has_isa() says so.
const PassKernel& portable_pass_kernel();
const PassKernel& avx2_pass_kernel();
const PassKernel& avx512_pass_kernel();
const PassKernel& avx512_bf16_pass_kernel();
/// Null where the compiler of this build knew no AMX.
const PassKernel* amx_bf16_pass_kernel();

}  // namespace negatron
