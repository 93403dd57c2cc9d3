#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Negatives from a cache that each sample has of its own: some of its rows at random, and after each step the cache
/// keeps of itself and some random rows those that a draw by score picks (Zhang et al., NSCaching, ICDE 2019;
/// SAMPLERS.md 21). For banks with a row for each sample: a cache holds ids, which are slots there.
///
/// All caches are on every rank, 8 bytes for each of n rows of each sample, and equal: what a batch changes in them is
/// told to all.
class NsCaching : public NegativeSampler {
 public:
  explicit NsCaching(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  void learn(const at::Tensor& ids, const at::Tensor& kept) override;
  at::Tensor lists() const override { return caches_; }
  void check_lists(const at::Tensor& lists) const override;
  void restore_lists(const at::Tensor& lists) override;

 private:
  /// [b, n + candidates] what a cache may keep: itself, and rows drawn at random that are not in it yet.
  at::Tensor candidates(const Bank& bank, const QueryBatch& batch) const;

  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  std::int64_t kept_;
  std::int64_t candidates_;
  double temperature_;
  bool keeps_best_;
  /// [samples, n] int64 on the host, -1 for none.
  at::Tensor caches_;
};

}  // namespace negatron
