#include "runtime/snapshots/files/directory_lock.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/snapshots/rank_texts.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kMostLockBytes = 1 << 16;
/// Field 22 of /proc/PID/stat, counted from the state, which is the third and follows the name in parentheses.
constexpr int kFieldsBeforeStart = 19;

std::int64_t process_began(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < kFieldsBeforeStart; ++i) fields >> skipped;
  std::int64_t began = 0;
  fields >> began;
  return fields ? began : 0;
}

std::string text_of(const LockOwner& owner) {
  return Json{{"host", owner.host},
              {"pid", owner.pid},
              {"began", owner.began},
              {"job_id", owner.job_id},
              {"since", owner.since}}
             .dump(1) +
         "\n";
}

LockOwner owner_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  LockOwner owner;
  if (!json.is_object()) return owner;
  owner.host = json.value("host", "");
  owner.pid = json.value("pid", std::int64_t{0});
  owner.began = json.value("began", std::int64_t{0});
  owner.job_id = json.value("job_id", "");
  owner.since = json.value("since", "");
  return owner;
}

// Process numbers are used again, so one that is alive may be another program: the time at which it began tells. Where
// /proc cannot be read that time is 0, and the owner counts as alive. Only for an owner on this host.
bool is_dead(const LockOwner& owner) {
  if (owner.pid <= 0) return false;
  if (::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH) return true;
  const std::int64_t began = process_began(owner.pid);
  return owner.began != 0 && began != 0 && began != owner.began;
}

std::string describe(const LockOwner& owner) {
  if (owner.host.empty()) return "an owner that cannot be read";
  return "process " + std::to_string(owner.pid) + " on host " + owner.host +
         (owner.job_id.empty() ? "" : ", job " + owner.job_id) + ", since " + owner.since;
}

}  // namespace

LockOwner this_owner(const std::string& job_id) {
  LockOwner owner;
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) owner.host = host;
  owner.pid = ::getpid();
  owner.began = process_began(owner.pid);
  owner.job_id = job_id;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  owner.since = text;
  return owner;
}

DirectoryLock::DirectoryLock(Communicator& comm, FileLayer& files, const fs::path& run_directory,
                             const LockOwner& owner, bool take_over)
    : files_(files), path_(run_directory / "lock") {
  std::string problem;
  if (comm.rank() == 0) {
    try {
      acquire(owner, take_over);
    } catch (const std::exception& error) {
      problem = error.what();
    }
  }
  problem = text_of_rank_0(comm, problem);
  if (!problem.empty()) throw SnapshotError(problem);
  took_over_ = text_of_rank_0(comm, took_over_);
}

DirectoryLock::~DirectoryLock() {
  if (!held_) return;
  try {
    files_.remove_file(path_);
  } catch (const std::exception&) {
    // A lock that stays is explained to the next run.
  }
}

void DirectoryLock::acquire(const LockOwner& owner, bool take_over) {
  if (files_.exists(path_)) {
    const LockOwner other = owner_of(read_text(files_, path_, kMostLockBytes));
    const bool same_host = other.host == owner.host;
    const bool dead = same_host && is_dead(other);
    // Started again on another host: Slurm does that when the first start is over.
    const bool same_job = !same_host && !owner.job_id.empty() && other.job_id == owner.job_id;
    const std::string held = "'" + path_.parent_path().string() + "' is in use by " + describe(other);
    if (!dead && !same_job) {
      throw SnapshotError(held + ". If that run is over, remove '" + path_.string() + "'.");
    }
    const std::string why = dead ? ", which no longer runs" : ", an earlier start of this job";
    if (!take_over) throw SnapshotError(held + why + ". Remove '" + path_.string() + "' to go on.");
    files_.remove_file(path_);
    took_over_ = held + why + ": taken over.";
  }
  try {
    // The file is created only where none is: of two runs that both saw no lock, the second to come here is told so.
    write_text(files_, path_, text_of(owner));
  } catch (const FileError& error) {
    if (error.error_number() != EEXIST) throw;
    throw SnapshotError("'" + path_.parent_path().string() + "' was taken by another run just now.");
  }
  held_ = true;
}

}  // namespace negatron
