#include "runtime/training/view_banks.h"

#include "comm/require.h"

namespace negatron {

std::vector<std::string> bank_names(const PretrainOptions& options) {
  if (options.bank_per_view) return {"view-b", "view-a"};
  return {""};
}

void require_view_banks(const PretrainOptions& options, const ContrastSetup& setup) {
  if (!options.bank_per_view) return;
  require(setup.has_memory(),
          "--bank-per-view needs --bank-kind memory: each view of a sample has a row in a bank of its own.");
  const std::string sampler = "--bank-per-view has two banks, and --sampler " + setup.sampler.name;
  require(setup.sampler.slots_of_sample == nullptr,
          sampler + " keeps slots of one bank for each sample; choose another sampler.");
  const bool has_clusters = setup.sampler.name == "mochi" && setup.sampler_options.count("clusters") > 0;
  require(!has_clusters, sampler + " has clusters of one; leave clusters out.");
}

}  // namespace negatron
