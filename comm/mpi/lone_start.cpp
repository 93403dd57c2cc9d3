#include "comm/mpi/lone_start.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace negatron {
namespace {

constexpr std::string_view kStarterPrefixes[] = {"SLURM_", "PMI_", "PMIX_"};

int count_in(const VariableLookup& variable, const char* name) {
  const char* text = variable(name);
  return text == nullptr ? 0 : std::atoi(text);
}

}  // namespace

bool is_lone_start(const VariableLookup& variable, bool by_launcher) {
  if (by_launcher || variable("SLURM_STEP_ID") == nullptr) return false;
  // mpirun within the step tells its ranks who they are; of a heterogeneous step each part may have one task.
  if (variable("OMPI_COMM_WORLD_SIZE") != nullptr || count_in(variable, "SLURM_HET_SIZE") > 1) return false;
  return count_in(variable, "SLURM_STEP_NUM_TASKS") == 1;
}

HiddenStarter::HiddenStarter() {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t end = text.find('=');
    const bool is_starters = std::any_of(std::begin(kStarterPrefixes), std::end(kStarterPrefixes),
                                         [&](std::string_view prefix) { return text.starts_with(prefix); });
    if (is_starters && end != std::string_view::npos) {
      hidden_.push_back({std::string(text.substr(0, end)), std::string(text.substr(end + 1))});
    }
  }
  for (const Variable& variable : hidden_) unsetenv(variable.name.c_str());
}

HiddenStarter::~HiddenStarter() {
  for (const Variable& variable : hidden_) setenv(variable.name.c_str(), variable.value.c_str(), /*overwrite=*/1);
}

}  // namespace negatron
