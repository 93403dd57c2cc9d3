#include "samplers/objectives/objective.h"

#include <stdexcept>
#include <string>

#include "comm/share.h"

namespace negatron {

void check_objective_input(const Communicator& comm, const ObjectiveInput& input, bool needs_bank) {
  const auto require = [](bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument("objective: " + message);
  };
  require(input.global_batch >= 1, "the global batch must hold at least one query");
  const std::int64_t own = share(input.global_batch, comm.size(), comm.rank()).size();
  require(input.queries.dim() == 2 && input.queries.size(0) == own,
          "queries must be [b, d] with b = " + std::to_string(own) + ", this rank's share of the global batch");
  require(input.keys.sizes() == input.queries.sizes() && input.keys.scalar_type() == input.queries.scalar_type(),
          "keys must have the shape and dtype of the queries");
  require(input.queries.scalar_type() == at::kFloat || input.queries.scalar_type() == at::kDouble,
          "queries must be fp32 or fp64");
  if (!needs_bank) return;
  const PassResult& negatives = input.negatives;
  require(negatives.log_sum_exp.defined() && negatives.max.defined(),
          "the bank's scores, with their maximum, are needed");
  require(
      negatives.log_sum_exp.dim() == 2 && negatives.log_sum_exp.size(0) == 1 && negatives.log_sum_exp.size(1) == own,
      "the bank's scores must be for this rank's queries at one scale");
}

}  // namespace negatron
