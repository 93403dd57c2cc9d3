#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "comm/communicator.h"

namespace negatron {

/// Where a run shall live: `path`, or runs/<command>-<date>-<time> in the working directory when that is empty.
/// Collective: rank 0 decides, all ranks learn it.
std::filesystem::path choose_run_directory(Communicator& comm, const std::string& path, const std::string& command);

/// Whether rank 0 sees a run in there. Collective.
bool holds_run(Communicator& comm, const std::filesystem::path& run_directory);

/// Makes the directory where it is missing. Collective: rank 0 does it. Throws UsageError on every rank.
void make_run_directory(Communicator& comm, const std::filesystem::path& run_directory);

/// Makes `config_ini`, the resolved configuration, the directory's config.ini in one rename. Another one that is there,
/// of the run up to `steps_done`, stays as config-until-step-<steps_done>.ini. Collective: rank 0 does it. Throws
/// UsageError on every rank.
void write_config(Communicator& comm, const std::filesystem::path& run_directory, const std::string& config_ini,
                  std::int64_t steps_done);

}  // namespace negatron
