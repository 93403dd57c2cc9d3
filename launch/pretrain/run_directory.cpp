#include "launch/pretrain/run_directory.h"

#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

#include "comm/rank_texts.h"
#include "comm/together.h"
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

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace_config(const fs::path& directory, const std::string& config_ini, std::int64_t steps_done) {
  const fs::path config = directory / "config.ini";
  const auto refuse = [&](const std::string& why) {
    throw UsageError("--run-dir: cannot write into '" + directory.string() + "'" + why + ".");
  };
  std::error_code error;
  if (fs::exists(config, error)) {
    if (content_of(config) == config_ini) return;
    fs::rename(config, directory / ("config-until-step-" + std::to_string(steps_done) + ".ini"), error);
    if (error) refuse(": " + error.message());
  }
  // Written beside and then renamed, so that no start ever finds half a config.ini.
  const fs::path written = config.string() + ".new";
  std::ofstream file(written);
  file << config_ini << std::flush;
  if (!file) refuse("");
  file.close();
  fs::rename(written, config, error);
  if (error) refuse(": " + error.message());
}

}  // namespace

fs::path choose_run_directory(Communicator& comm, const std::string& path, const std::string& command) {
  // The clocks of hosts differ, so a dated name is rank 0's.
  return text_of_rank_0(comm, path.empty() ? (fs::path("runs") / dated_name(command)).string() : path);
}

bool holds_run(Communicator& comm, const fs::path& run_directory) {
  const std::string found = on_rank_0(comm, [&]() -> std::string {
    std::error_code error;
    for (const char* name : {"config.ini", "metrics.jsonl", "snapshots"}) {
      if (fs::exists(run_directory / name, error)) return name;
    }
    return {};
  });
  return !found.empty();
}

void make_run_directory(Communicator& comm, const fs::path& run_directory) {
  on_rank_0(comm, [&]() -> std::string {
    std::error_code error;
    fs::create_directories(run_directory, error);
    if (error) throw UsageError("--run-dir: cannot make '" + run_directory.string() + "': " + error.message() + ".");
    return {};
  });
}

void write_config(Communicator& comm, const fs::path& run_directory, const std::string& config_ini,
                  std::int64_t steps_done) {
  on_rank_0(comm, [&]() -> std::string {
    replace_config(run_directory, config_ini, steps_done);
    return {};
  });
}

}  // namespace negatron
