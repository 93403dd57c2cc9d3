#include "samplers/negative_samplers/nscaching.h"

#include <algorithm>
#include <stdexcept>

#include "samplers/exchange/ranking/slot_draws.h"
#include "samplers/options/named_state.h"

namespace negatron {
namespace {

/// Of a step before the first: what caches begin with.
constexpr std::int64_t kStart = 0;

}  // namespace

SamplerDescription NsCaching::describe() {
  SamplerDescription description{"nscaching",
                                 "Zhang et al., NSCaching, ICDE 2019",
                                 "rows of a cache that each sample has, which keeps hard ones",
                                 {Effect::kIndexList},
                                 {{"m", std::int64_t{16}, "rows a query, drawn from its cache", 1},
                                  {"n", std::int64_t{30}, "rows in a cache", 1},
                                  {"candidates", std::int64_t{30}, "random rows that may come into it each time", 1},
                                  {"update",
                                   std::string("importance"),
                                   "what stays: a draw by score, or the hardest",
                                   {},
                                   {},
                                   {"importance", "top"}},
                                  {"temperature", 0.1, "T of softmax(score / T), by which it is drawn", 1e-4}},
                                 {Need::kOwnRows}};
  description.slots_of_sample = [](const MethodOptions& options) { return options.count("n"); };
  return description;
}

NsCaching::NsCaching(const SamplerArguments& arguments)
    : base_(arguments.base),
      seed_(arguments.seed),
      rows_(arguments.options.count("m")),
      kept_(arguments.options.count("n")),
      candidates_(arguments.options.count("candidates")),
      temperature_(arguments.options.number("temperature")),
      keeps_best_(arguments.options.word("update") == "top") {
  if (rows_ > kept_) throw std::invalid_argument("--sampler nscaching: m must be at most n, the rows in a cache.");
  const SelectionOrder order{SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kCacheStart, kStart};
  caches_ = draw_uniform_slots(order, at::arange(arguments.bank_rows, at::kLong), kept_, arguments.bank_rows);
}

at::Tensor NsCaching::candidates(const Bank& bank, const QueryBatch& batch) const {
  const std::int64_t size = batch.ids.size(0);
  const at::Tensor cached = caches_.index_select(0, batch.ids.to(at::kCPU));
  const std::int64_t first = batch.shares.begin(bank.rank());
  const SelectionOrder order{SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kCacheCandidates, batch.step};
  const at::Tensor drawn =
      draw_uniform_slots(order, at::arange(first, first + size, at::kLong), candidates_, bank.capacity());
  at::Tensor all = at::cat({cached, drawn}, 1).contiguous();
  // A row that is there already must not get a second chance, or it would fill its cache with the years.
  auto* slots = all.mutable_data_ptr<std::int64_t>();
  const std::int64_t length = kept_ + candidates_;
  for (std::int64_t i = 0; i < size; ++i, slots += length) {
    for (std::int64_t k = 1; k < length; ++k) {
      if (std::find(slots, slots + k, slots[k]) != slots + k) slots[k] = -1;
    }
  }
  return all;
}

// Example: n = 2, two candidates. The cache of sample 7 is 3, 9 and the draws are 9 and 5: of 3, 9, 5 two stay, drawn
// by softmax(s / T) without replacement, perhaps 9 and 5. The query meets m of 3 and 9, because what stays is decided
// by the same scores, at the same time.
NegativeRequest NsCaching::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  NegativeSet& met = request.sets.front();
  met.slots = caches_.index_select(0, batch.ids.to(at::kCPU));
  met.draws = rows_;
  met.draw_order = {SelectionOrder::By::kRandom, 1.0, seed_, Purpose::kListChoice, batch.step};
  NegativeSet kept;
  kept.slots = candidates(bank, batch);
  kept.draws = kept_;
  if (!keeps_best_) {
    kept.draw_order = {SelectionOrder::By::kGumbel, 1.0 / temperature_, seed_, Purpose::kCacheDraw, batch.step};
  }
  request.kept = kept;
  return request;
}

void NsCaching::learn(const at::Tensor& ids, const at::Tensor& kept) {
  const auto* id = ids.const_data_ptr<std::int64_t>();
  // Of a sample that is in the batch twice the later one stays.
  for (std::int64_t i = 0; i < ids.size(0); ++i) caches_[id[i]].copy_(kept[i]);
}

void NsCaching::check_lists(const at::Tensor& lists) const {
  const bool fits = lists.defined() && lists.sizes() == caches_.sizes() && lists.scalar_type() == at::kLong &&
                    (lists.numel() == 0 ||
                     (lists.min().item<std::int64_t>() >= -1 && lists.max().item<std::int64_t>() < caches_.size(0)));
  if (!fits) throw MissingState("no caches of " + std::to_string(kept_) + " rows for each sample");
}

void NsCaching::restore_lists(const at::Tensor& lists) {
  caches_ = lists.to(at::kCPU).clone();
}

}  // namespace negatron
