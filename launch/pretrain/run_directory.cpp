#include "launch/pretrain/run_directory.h"

#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

#include "comm/together.h"
#include "launch/exit_code.h"
#include "runtime/snapshots/files/new_path.h"

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

/// `stem` + `ending`, or the first of stem-2, stem-3, ... for which `takes` says yes.
fs::path first_free(const std::string& stem, const std::string& ending,
                    const std::function<bool(const fs::path&)>& takes) {
  fs::path path = stem + ending;
  for (int count = 2; !takes(path); ++count) path = stem + "-" + std::to_string(count) + ending;
  return path;
}

/// Under a name that nothing has; where that content is kept already, not again.
void keep_config(FileLayer& files, const fs::path& directory, const std::string& content, std::int64_t steps_done) {
  const std::string stem = (directory / ("config-until-step-" + std::to_string(steps_done))).string();
  first_free(stem, ".ini", [&](const fs::path& path) {
    if (files.exists(path)) return content_of(path) == content;
    write_then_rename(files, path, [&](const fs::path& partial) { write_text(files, partial, content); });
    return true;
  });
}

void replace_config(FileLayer& files, const fs::path& directory, const std::string& config_ini,
                    std::int64_t steps_done) {
  const fs::path config = directory / "config.ini";
  if (fs::exists(config)) {
    const std::string before = content_of(config);
    if (before == config_ini) return;
    // Both files are there at any time from here on.
    keep_config(files, directory, before, steps_done);
  }
  write_then_rename(
      files, config, [&](const fs::path& partial) { write_text(files, partial, config_ini); }, Existing::kReplaced);
}

}  // namespace

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

fs::path make_dated_directory(Communicator& comm, const std::string& command) {
  // The clocks of hosts differ, so a dated name is rank 0's.
  return on_rank_0(comm, [&] {
    const fs::path dated = fs::path("runs") / dated_name(command);
    try {
      fs::create_directories(dated.parent_path());
      // Of two starts that make it, one is told that it made it.
      return first_free(dated.string(), "", [](const fs::path& path) { return fs::create_directory(path); }).string();
    } catch (const fs::filesystem_error& error) {
      throw UsageError("--run-dir: cannot make '" + dated.string() + "': " + error.code().message() + ".");
    }
  });
}

std::string write_config(Communicator& comm, FileLayer& files, const fs::path& run_directory,
                         const std::string& config_ini, std::int64_t steps_done) {
  return on_rank_0(comm, [&]() -> std::string {
    try {
      replace_config(files, run_directory, config_ini, steps_done);
      return {};
    } catch (const std::exception& error) {
      // A run that goes on has its settings in its snapshots as well, and shall not end for a full disk.
      std::error_code ignored;
      if (!fs::exists(run_directory / "config.ini", ignored)) {
        throw UsageError("--run-dir: cannot write into '" + run_directory.string() + "': " + error.what());
      }
      return "config.ini stays that of the start before: " + std::string(error.what());
    }
  });
}

}  // namespace negatron
