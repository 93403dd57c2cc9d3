#include "launch/pretrain/run_starts.h"

#include <ctime>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "launch/version.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

std::map<std::string, int> ranks_by_host(const RunStart& start) {
  std::map<std::string, int> ranks;
  for (const std::string& host : start.hosts) ++ranks[host];
  return ranks;
}

std::string time_text(std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text;
}

}  // namespace

void record_start(const std::filesystem::path& file, const RunStart& start, AppendedFile::Warn warn) {
  const ProgramVersion version = program_version();
  nlohmann::ordered_json line = {
      {"time", std::time(nullptr)},    {"step", start.step},          {"ranks", start.hosts.size()},
      {"hosts", ranks_by_host(start)}, {"device", start.device},      {"precision", start.precision},
      {"command", start.command},      {"negatron", version.program}, {"commit", version.commit},
      {"libtorch", version.libtorch},  {"mpi", version.mpi},          {"hdf5", version.hdf5},
      {"cuda", version.cuda}};
  if (start.slurm) {
    line["slurm"] = {{"job", start.slurm.start.job_id},
                     {"step", start.slurm.start.step_id},
                     {"nodes", start.slurm.nodes},
                     {"restarts", start.slurm.start.restarts}};
  }
  AppendedFile(file, {}, std::move(warn)).append(json_text(line) + "\n");
}

std::string start_heading(const RunStart& start) {
  std::string hosts;
  for (const auto& [host, ranks] : ranks_by_host(start)) {
    hosts += (hosts.empty() ? "" : ", ") + host + " (" + std::to_string(ranks) + (ranks == 1 ? " rank)" : " ranks)");
  }
  std::string command = "negatron";
  for (const std::string& word : start.command) command += " " + word;
  return "# " + time_text(std::time(nullptr)) + ": " +
         (start.step == 0 ? "starts" : "goes on from step " + std::to_string(start.step)) + " on " + hosts +
         (start.slurm ? ", " + text_of(start.slurm) : "") + "\n# " + version_line() + "\n# " + command + "\n";
}

}  // namespace negatron
