#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Some keys of the bank in ring order, contiguous on the host.
struct BankBlock {
  at::Tensor vectors;   // [m, d], as the bank stores them
  at::Tensor ids;       // [m] int64
  at::Tensor labels;    // [m] int64
  at::Tensor steps;     // [m] int64
  at::Tensor sequence;  // [m] int64, ascending
  // Of rows that learn where they are asked for, else undefined; as BankShard.
  at::Tensor raw = {};      // [m, vector_width of d]
  at::Tensor moments = {};  // [m, moments_width]
};

/// With memory that nobody has written yet. Local.
BankBlock make_block(std::int64_t rows, std::int64_t width, at::ScalarType dtype);
/// Rows [begin, begin + count): views of the block. Local.
BankBlock part_of(const BankBlock& block, std::int64_t begin, std::int64_t count);
/// All rows of `from` into those of `to` from `begin` on. By plain copies: an ATen operator would start worker threads
/// that take the training's cores. Local.
void copy_into(const BankBlock& to, std::int64_t begin, const BankBlock& from);

}  // namespace negatron
