#include "launch/run_directory.h"

#include <ctime>
#include <fstream>

#include "launch/broadcast_text.h"
#include "launch/exit_code.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

std::string dated_name(const std::string& command) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &local);
  return command + "-" + text;
}

/// Returns what is wrong, or an empty text.
std::string prepare(const fs::path& path, const std::string& config_ini) {
  std::error_code error;
  if (fs::exists(path / "config.ini", error) || fs::exists(path / "metrics.jsonl", error)) {
    return "--run-dir: '" + path.string() + "' already holds a run; choose another directory.";
  }
  fs::create_directories(path, error);
  if (error) return "--run-dir: cannot make '" + path.string() + "': " + error.message() + ".";
  std::ofstream config(path / "config.ini");
  config << config_ini << std::flush;
  if (!config) return "--run-dir: cannot write into '" + path.string() + "'.";
  return {};
}

}  // namespace

fs::path make_run_directory(Communicator& comm, const std::string& path, const std::string& command,
                            const std::string& config_ini) {
  std::string chosen;
  std::string problem;
  if (comm.rank() == 0) {
    chosen = path.empty() ? (fs::path("runs") / dated_name(command)).string() : path;
    problem = prepare(chosen, config_ini);
  }
  problem = broadcast_text(comm, problem);
  if (!problem.empty()) throw UsageError(problem);
  return broadcast_text(comm, chosen);
}

}  // namespace negatron
