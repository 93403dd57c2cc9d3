#include "samplers/objectives/registry.h"

#include "samplers/objectives/advir.h"
#include "samplers/objectives/byol.h"
#include "samplers/objectives/contrastive.h"
#include "samplers/objectives/dcl.h"
#include "samplers/objectives/hcl.h"
#include "samplers/objectives/info_nce.h"
#include "samplers/objectives/lifted.h"
#include "samplers/objectives/margin_ranking.h"
#include "samplers/objectives/n_pair.h"
#include "samplers/objectives/nce.h"
#include "samplers/objectives/neg.h"
#include "samplers/objectives/siglip.h"
#include "samplers/objectives/soft_nn.h"
#include "samplers/objectives/supcon.h"
#include "samplers/objectives/triplet.h"
#include "samplers/objectives/triplet_in_batch.h"
#include "samplers/objectives/whole_data.h"
#include "samplers/options/method_registry.h"

namespace negatron {
namespace {

using ObjectiveRegistry = MethodRegistry<Objective, ObjectiveDescription, ObjectiveArguments>;

/// The objectives in the order of --list-objectives.
const ObjectiveRegistry& registry() {
  static const auto all = ObjectiveRegistry::of<InfoNce, NtXent, InfoNceInBatch, AdvIr, Dcl, Dclw, Debiased, Hcl,
                                                SupCon, SoftNn, Nce, Neg, SigLip, Contrastive, Triplet, TripletInBatch,
                                                MarginRanking, NPair, Lifted, WholeData, Byol>("objective");
  return all;
}

}  // namespace

const std::vector<ObjectiveDescription>& objective_descriptions() {
  return registry().descriptions();
}

const ObjectiveDescription& describe_objective(const std::string& name) {
  return registry().describe(name);
}

const char* why_inner_products(const ObjectiveDescription& objective, NegativeSource source) {
  if (objective.why_inner_products != nullptr) return objective.why_inner_products;
  if (source != NegativeSource::kBatch || objective.queries_only) return nullptr;
  return "both views of a batch are queries and keys at once, and by distances a query has another form than a key";
}

std::unique_ptr<Objective> make_objective(const std::string& name, const ObjectiveArguments& arguments) {
  return registry().make(name, arguments);
}

}  // namespace negatron
