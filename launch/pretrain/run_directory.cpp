#include "launch/pretrain/run_directory.h"

#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

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

/// `work` returns what is wrong, or an empty text.
void on_rank_0(Communicator& comm, const std::function<std::string()>& work) {
  const std::string problem = broadcast_text(comm, comm.rank() == 0 ? work() : std::string());
  if (!problem.empty()) throw UsageError(problem);
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string replace_config(const fs::path& directory, const std::string& config_ini, std::int64_t steps_done) {
  const fs::path config = directory / "config.ini";
  const std::string cannot = "--run-dir: cannot write into '" + directory.string() + "'";
  std::error_code error;
  if (fs::exists(config, error)) {
    if (content_of(config) == config_ini) return {};
    fs::rename(config, directory / ("config-until-step-" + std::to_string(steps_done) + ".ini"), error);
    if (error) return cannot + ": " + error.message() + ".";
  }
  const fs::path written = config.string() + ".new";
  std::ofstream file(written);
  file << config_ini << std::flush;
  if (!file) return cannot + ".";
  file.close();
  fs::rename(written, config, error);
  return error ? cannot + ": " + error.message() + "." : std::string();
}

}  // namespace

fs::path choose_run_directory(Communicator& comm, const std::string& path, const std::string& command) {
  return broadcast_text(comm, path.empty() ? (fs::path("runs") / dated_name(command)).string() : path);
}

bool holds_run(Communicator& comm, const fs::path& run_directory) {
  std::string found;
  if (comm.rank() == 0) {
    std::error_code error;
    for (const char* name : {"config.ini", "metrics.jsonl", "snapshots"}) {
      if (fs::exists(run_directory / name, error)) found = name;
    }
  }
  return !broadcast_text(comm, found).empty();
}

void make_run_directory(Communicator& comm, const fs::path& run_directory) {
  on_rank_0(comm, [&]() -> std::string {
    std::error_code error;
    fs::create_directories(run_directory, error);
    if (!error) return {};
    return "--run-dir: cannot make '" + run_directory.string() + "': " + error.message() + ".";
  });
}

void write_config(Communicator& comm, const fs::path& run_directory, const std::string& config_ini,
                  std::int64_t steps_done) {
  on_rank_0(comm, [&] { return replace_config(run_directory, config_ini, steps_done); });
}

}  // namespace negatron
