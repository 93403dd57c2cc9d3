#include "samplers/negative_samplers/ance.h"

#include <stdexcept>

#include "samplers/negative_samplers/bank_option.h"

namespace negatron {
namespace {

Mining mining_of(const MethodOptions& options) {
  return {options.count("top"), options.count("draw"), options.count("n")};
}

/// Rows look for other rows.
std::string why_ance_takes_products(const MethodOptions&) {
  return "its index is searched by its own rows, and by distances what is asked for has another form than what asks";
}

}  // namespace

SamplerDescription Ance::describe() {
  SamplerDescription description{
      "ance",
      "Xiong et al., ANCE, ICLR 2021",
      "samples near the query's in an index that an older encoder made, encoded anew and trained",
      {Effect::kVectors},
      {{"n", std::int64_t{1}, "mined samples that a query meets", 1},
       {"top", std::int64_t{200}, "nearest samples that they are drawn from", 1},
       {"draw", std::int64_t{20}, "of these, how many are drawn for each sample when the index is new", 1},
       bank_option(false, "the rows of the index are met as well, as they are")},
      {Need::kIndex}};
  description.mines = mining_of;
  description.why_inner_products = why_ance_takes_products;
  description.leaves_bank_out = left_out_bank;
  return description;
}

Ance::Ance(const SamplerArguments& arguments) : base_(arguments.base) {
  if (!meets_bank(arguments.options)) base_.sets.clear();
  const Mining mining = mining_of(arguments.options);
  if (mining.drawn > mining.nearest) throw std::invalid_argument("--sampler ance: draw must not exceed top.");
  if (mining.met > mining.drawn) throw std::invalid_argument("--sampler ance: n must not exceed draw.");
}

NegativeRequest Ance::request(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron
