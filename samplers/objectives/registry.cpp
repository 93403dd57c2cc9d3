#include "samplers/objectives/registry.h"

#include <stdexcept>

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
#include "samplers/objectives/whole_data.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

struct Entry {
  ObjectiveDescription description;
  std::unique_ptr<Objective> (*make)(const ObjectiveArguments& arguments);
};

template <typename Method>
Entry entry() {
  return {Method::describe(), [](const ObjectiveArguments& arguments) -> std::unique_ptr<Objective> {
            return std::make_unique<Method>(arguments);
          }};
}

/// One line an objective, in the order of --list-objectives.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      entry<InfoNce>(),  entry<NtXent>(), entry<InfoNceInBatch>(), entry<Dcl>(),     entry<Dclw>(),
      entry<Debiased>(), entry<Hcl>(),    entry<SupCon>(),         entry<SoftNn>(),  entry<Nce>(),
      entry<Neg>(),      entry<SigLip>(), entry<Contrastive>(),    entry<Triplet>(), entry<MarginRanking>(),
      entry<NPair>(),    entry<Lifted>(), entry<WholeData>(),      entry<Byol>(),
  };
  return all;
}

const Entry& find(const std::string& name) {
  std::vector<std::string> known;
  for (const Entry& entry : entries()) {
    if (entry.description.name == name) return entry;
    known.push_back(entry.description.name);
  }
  throw std::invalid_argument("--objective: unknown objective '" + name + "', did you mean " +
                              nearest_name(name, known) + "? --list-objectives shows all.");
}

}  // namespace

const std::vector<ObjectiveDescription>& objective_descriptions() {
  static const std::vector<ObjectiveDescription> all = [] {
    std::vector<ObjectiveDescription> descriptions;
    for (const Entry& entry : entries()) descriptions.push_back(entry.description);
    return descriptions;
  }();
  return all;
}

const ObjectiveDescription& describe_objective(const std::string& name) {
  return find(name).description;
}

std::unique_ptr<Objective> make_objective(const std::string& name, const ObjectiveArguments& arguments) {
  return find(name).make(arguments);
}

}  // namespace negatron
