#include "samplers/negative_samplers/negcut.h"

#include "samplers/negative_samplers/bank_option.h"

namespace negatron {

SamplerDescription Negcut::describe() {
  SamplerDescription description{
      "negcut",
      "Wang et al., NEGCUT, ICCV 2021",
      "negatives that a network makes of the query and noise, to raise the loss",
      {Effect::kVectors},
      {{"n", std::int64_t{16}, "negatives a query", 2},
       bank_option(true, "the rows of the bank are met as well; the paper has only what is made"),
       {"diversity", 1.0, "weight of how far apart they are", 0.0},
       {"noise", std::int64_t{64}, "numbers of noise for each", 1},
       {"hidden", std::int64_t{128}, "width of both hidden layers", 1}}};
  description.why_unit_rows = "its network makes unit vectors";
  description.leaves_bank_out = left_out_bank;
  return description;
}

Negcut::Negcut(const SamplerArguments& arguments) : base_(arguments.base) {
  if (!meets_bank(arguments.options)) base_.sets.clear();
  NegcutOptions options;
  options.width = arguments.width;
  options.count = arguments.options.count("n");
  options.noise = arguments.options.count("noise");
  options.hidden = arguments.options.count("hidden");
  options.diversity = arguments.options.number("diversity");
  options.seed = arguments.seed;
  generator_ = std::make_unique<NegcutGenerator>(options, arguments.tensors);
}

NegativeRequest Negcut::request(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron
