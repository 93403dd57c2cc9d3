#include "samplers/objectives/registry.h"

#include <stdexcept>

#include "samplers/objectives/info_nce.h"
#include "samplers/objectives/info_nce_in_batch.h"
#include "samplers/objectives/nt_xent.h"

namespace negatron {
namespace {

struct Entry {
  const char* name;
  std::unique_ptr<Objective> (*make)(const ObjectiveOptions& options);
};

constexpr Entry kObjectives[] = {
    {"info-nce",
     [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
       return std::make_unique<InfoNce>(options.temperature);
     }},
    {"nt-xent",
     [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
       return std::make_unique<NtXent>(options.temperature);
     }},
    {"info-nce-in-batch",
     [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
       return std::make_unique<InfoNceInBatch>(options.temperature, options.key_gradient);
     }},
};

}  // namespace

std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options) {
  std::string known;
  for (const Entry& entry : kObjectives) {
    if (options.name == entry.name) return entry.make(options);
    known += known.empty() ? entry.name : std::string(", ") + entry.name;
  }
  throw std::invalid_argument("unknown objective '" + options.name + "'; known: " + known);
}

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kObjectives) names.emplace_back(entry.name);
  return names;
}

}  // namespace negatron
