#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "comm/communicator.h"
#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// Whether rank 0 sees a run in there. Collective.
bool holds_run(Communicator& comm, const std::filesystem::path& run_directory);

/// Makes the directory where it is missing. Collective: rank 0 does it. Throws UsageError on every rank.
void make_run_directory(Communicator& comm, const std::filesystem::path& run_directory);

/// Makes runs/<command>-<date>-<time> in the working directory, or where another start of this second has made that,
/// the first of ...-2, ...-3 that nobody has: two starts never share one. Collective: rank 0 does it, all ranks learn
/// which it is. Throws UsageError on every rank.
std::filesystem::path make_dated_directory(Communicator& comm, const std::string& command);

/// Makes `config_ini`, the resolved configuration, the directory's config.ini, whole or not at all. Another one that is
/// there, of the run up to `steps_done`, stays as config-until-step-<steps_done>.ini, or as ...-2.ini, ...-3.ini beside
/// others of that step: none is overwritten. Collective: rank 0 does it. Throws UsageError on every rank when it cannot
/// be written, unless the directory has a config.ini: then that one stays, the run may go on, and the sentence returned
/// says so; else the text is empty.
std::string write_config(Communicator& comm, FileLayer& files, const std::filesystem::path& run_directory,
                         const std::string& config_ini, std::int64_t steps_done);

}  // namespace negatron
