#pragma once

#include <cstdint>

#include "samplers/cpu/cpu_isa.h"
#include "samplers/pass/blocked_pass.h"

namespace negatron {

/// The pass at the speed of a CPU's products: attention with keys = values = rows. Tiles of scores stay in the
/// first-level cache and become weights and weighted sums there (FlashAttention, arXiv:2205.14135), for both terms of a
/// request from one computation of the scores. The kernels are intrinsics of this project, one source per instruction
/// set, because ATen offers no product whose result is consumed tile by tile.
///
/// Serves what nearly every step asks for: one or two plain terms (score_term.h), best rows by score alone, or both,
/// without label rules, windows and positives, fp32 queries and rows in fp32, bf16 or fp16, on the CPU. Anything else,
/// queries that are not finite included, is passed on to BlockedPass, but for best rows beside terms that no kernel
/// serves, which are found by themselves.
///
/// Best rows are found in the same sweep (near_rows_search.h), exactly. Where rows lie closer together than bf16 can
/// tell, the query is searched again in fp32, and where fp32 cannot, in fp64.
///
/// Scores, masses and sums accumulate in fp32. With kAvx512Bf16 and kAmxBf16 rows in bf16 meet queries rounded to bf16,
/// or split into two bf16 where that would show (score_term.h), and weights rounded to bf16: values are good to about
/// 2e-3, gradients to 4e-3 of their length, as a rule to a tenth and to half of that. All else is as good as fp32.
///
/// A score is summed over d in one order, weights over the rows of a leaf in one order, and leaves merge in the
/// canonical tree (ReductionTree), by powers of two only. So the result is a function of query, rows and leaves, bit
/// for bit: of neither the other queries nor the number of threads. ReductionTree merges ranks' results by
/// exponentials, which rounds otherwise: over ranks results agree to rounding.
class FastPass : public Pass {
 public:
  /// `query_block` is that of BlockedPass. Throws std::invalid_argument when `isa` is not available (require_isa()) or
  /// the block is below 1.
  explicit FastPass(CpuIsa isa = CpuIsa::kAuto, std::int64_t query_block = BlockedPass::kDefaultQueryBlock);

  PassResult run(const Rows& rows, const PassRequest& request) const override;
  at::Tensor best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                  std::int64_t m) const override;

  /// Whether the kernels serve a checked request, which else is passed on. Local.
  static bool serves(const Rows& rows, const PassRequest& request);
  CpuIsa isa() const noexcept { return isa_; }
  std::int64_t query_block() const noexcept { return otherwise_.query_block(); }

 private:
  PassResult pass_on(const Rows& rows, const PassRequest& request) const;
  void settle(const at::Tensor& open, const Rows& rows, const PassRequest& request, PassResult& result) const;

  CpuIsa isa_;
  BlockedPass otherwise_;
};

}  // namespace negatron
