#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.h"

namespace negatron {

/// Makes the directory of a run and writes `config.ini`, the resolved configuration, into it. An empty `path` becomes
/// runs/<command>-<date>-<time> in the working directory. Collective: rank 0 does it, all ranks learn the path. Throws
/// UsageError on every rank when the directory already holds a run or cannot be written.
std::filesystem::path make_run_directory(Communicator& comm, const std::string& path, const std::string& command,
                                         const std::string& config_ini);

}  // namespace negatron
