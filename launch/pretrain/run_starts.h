#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "launch/slurm/slurm_job.h"
#include "runtime/metrics/appended_file.h"

namespace negatron {

/// One start of a run: what `RUN/starts.jsonl` says of it beside its time and the versions of program and libraries.
struct RunStart {
  /// Steps done before: 0 unless it goes on.
  std::int64_t step = 0;
  /// Of each rank.
  std::vector<std::string> hosts{};
  std::string device{};
  std::string precision{};
  /// The command line, from the command on.
  std::vector<std::string> command{};
  SlurmJob slurm{};
};

/// Adds a line to `file`, a JSON object: time (seconds since 1970), step, ranks, hosts (ranks by host), device,
/// precision, command, under Slurm job, nodes and restarts, and the versions. What cannot be written is told to `warn`.
/// Local; rank 0 does it.
void record_start(const std::filesystem::path& file, const RunStart& start, AppendedFile::Warn warn);

/// The same for people, lines that begin with '#': what RUN/log has above the words of each start. Local.
std::string start_heading(const RunStart& start);

}  // namespace negatron
