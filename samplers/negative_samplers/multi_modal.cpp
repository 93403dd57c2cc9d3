#include "samplers/negative_samplers/multi_modal.h"

#include <stdexcept>

namespace negatron {
namespace {

constexpr const char* kMultiModal = "--sampler multi-modal";

/// Equal shares of N when nothing else is asked for.
NumberList budgets_of(const SamplerArguments& arguments) {
  const NumberList& given = arguments.options.numbers("budgets");
  if (!given.empty() || !arguments.options.numbers("type-scales").empty()) return given;
  if (!arguments.sample_types.defined()) {
    throw std::invalid_argument(std::string(kMultiModal) + " needs the type of each sample: --sample-types FILE.");
  }
  const std::int64_t types = count_types(arguments.sample_types);
  if (types == 0) throw std::invalid_argument(std::string(kMultiModal) + ": --sample-types gives no sample a type.");
  // Budgets are whole numbers: 1024 rows over 3 types are 341 each.
  return NumberList(static_cast<std::size_t>(types), static_cast<double>(arguments.options.count("n") / types));
}

/// A factor above 1 makes a score that is below 0 smaller.
std::string why_scales_take_products(const MethodOptions& options) {
  return options.numbers("type-scales").empty()
             ? ""
             : "a factor of type-scales is meant to raise scores, and all that are of distances are below 0";
}

}  // namespace

SamplerDescription MultiModal::describe() {
  SamplerDescription description{
      "multi-modal",
      "after the outlook of Kalantidis et al., MoCHi, NeurIPS 2020",
      "the hardest rows of each type of sample",
      {Effect::kMask, Effect::kScoreTransform},
      {{"n", std::int64_t{1024}, "N, rows of all types together; split evenly without the two options below", 1},
       {"budgets", NumberList{}, "rows of type 0, 1, ...: 512/256", 0.0},
       {"type-scales", NumberList{}, "factors of the scores of type 0, 1, ... in one ranking: 1/0.8", 0.0},
       {"skip", std::int64_t{0}, "leave out the hardest of each pool, rows", 0},
       {"warmup-epochs", 0.0, "epochs with the whole bank first", 0.0}},
      {Need::kTypes}};
  description.why_inner_products = why_scales_take_products;
  return description;
}

MultiModal::MultiModal(const SamplerArguments& arguments)
    : base_(arguments.base),
      pools_(kMultiModal, arguments.sample_types, budgets_of(arguments), arguments.options.numbers("type-scales")),
      n_(arguments.options.count("n")),
      skip_(arguments.options.count("skip")),
      warmup_epochs_(arguments.options.number("warmup-epochs")) {}

NegativeRequest MultiModal::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  if (batch.epoch < warmup_epochs_) return request;
  // A set for each pool, ranks [skip, budget) within it. With scales there is one pool of all rows, whose order
  // multiplies scores by the factor of their type; the loss sees them as they are (SAMPLERS.md 14).
  request.sets.clear();
  for (const HardPool& pool : pools_.of(bank, n_)) {
    NegativeSet& set = request.sets.emplace_back();
    set.pool = pool.rows;
    // A pool that is smaller than what is skipped gives no row.
    set.first_rank = std::min(skip_, pool.hard);
    set.last_rank = pool.hard;
  }
  return request;
}

}  // namespace negatron
