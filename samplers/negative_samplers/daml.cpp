#include "samplers/negative_samplers/daml.h"

#include "samplers/negative_samplers/bank_option.h"

namespace negatron {

SamplerDescription Daml::describe() {
  SamplerDescription description{
      "daml",
      "Duan et al., DAML, CVPR 2018",
      "a negative that a network makes of query, positive and the hardest row",
      {Effect::kVectors},
      {bank_option(true, "the rows of the bank are met as well; the paper has only what is made"),
       {"regularization", 1.0, "weight of the distance to the row that it is made of", 0.0},
       {"adversarial", 50.0, "weight of what it is farther away than the positive and the margin", 0.0},
       {"margin", 0.2, "of squared distances", 0.0, 4.0},
       {"hidden", std::int64_t{128}, "width of both hidden layers", 1}}};
  description.why_unit_rows = "its network makes unit vectors by their distances";
  description.leaves_bank_out = left_out_bank;
  return description;
}

Daml::Daml(const SamplerArguments& arguments) : base_(arguments.base) {
  if (!meets_bank(arguments.options)) base_.sets.clear();
  DamlOptions options;
  options.width = arguments.width;
  options.hidden = arguments.options.count("hidden");
  options.regularization = arguments.options.number("regularization");
  options.adversarial = arguments.options.number("adversarial");
  options.margin = arguments.options.number("margin");
  options.seed = arguments.seed;
  generator_ = std::make_unique<DamlGenerator>(options, arguments.tensors);
}

NegativeRequest Daml::request(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron
