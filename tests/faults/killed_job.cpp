#include "tests/faults/killed_job.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/faults/saving_worker.h"

extern char** environ;

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStartLimit{60};
/// Ranks that outlive their mpirun by more were forgotten by everyone.
constexpr std::chrono::seconds kOrphanLimit{5};
constexpr std::chrono::seconds kEndLimit{20};
constexpr std::chrono::milliseconds kLookInterval{2};

std::string word_in(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

template <typename Done>
bool wait_until(const Done& done, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
  return true;
}

/// As in /proc: 'T' stopped, 'Z' dead but not buried. 'X' when there is none.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= text.size() ? 'X' : text[name_end + 2];
}

bool is_gone(pid_t pid) {
  const char state = state_of(pid);
  return state == 'X' || state == 'Z';
}

}  // namespace

KilledJob::KilledJob(const std::string& program, const fs::path& directory, int ranks, const std::string& fault)
    : directory_(directory), ranks_(ranks) {
  for (int rank = 0; rank < ranks; ++rank) fs::remove(pid_path(directory, rank));
  // Not setenv: other threads start jobs too.
  std::vector<std::string> own{"NEGATRON_FAULT=" + fault, "OMPI_ALLOW_RUN_AS_ROOT=1",
                               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMP_NUM_THREADS=1"};
  std::vector<char*> settings;
  for (std::string& setting : own) settings.push_back(setting.data());
  for (char** setting = environ; *setting != nullptr; ++setting) settings.push_back(*setting);
  settings.push_back(nullptr);
  // No grace before mpirun's own SIGKILL: it is the kill that is tested.
  const std::vector<std::string> words{NEGATRON_MPIEXEC,
                                       "--oversubscribe",
                                       "--bind-to",
                                       "none",
                                       "--mca",
                                       "mpi_yield_when_idle",
                                       "1",
                                       "--mca",
                                       "odls_base_sigkill_timeout",
                                       "0",
                                       "-n",
                                       std::to_string(ranks),
                                       program,
                                       "--worker",
                                       directory.string()};
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, (directory / "output").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&quiet, 1, 2);
  if (posix_spawn(&mpirun_, words[0].c_str(), &quiet, nullptr, arguments.data(), settings.data()) != 0) mpirun_ = -1;
  posix_spawn_file_actions_destroy(&quiet);
}

bool KilledJob::started() {
  if (mpirun_ <= 0) return false;
  for (int rank = 0; rank < ranks_; ++rank) {
    const auto known = [&] { return !word_in(pid_path(directory_, rank)).empty(); };
    if (!wait_until([&] { return known() || ended(); }, kStartLimit) || !known()) return false;
    pids_.push_back(static_cast<pid_t>(std::stoi(word_in(pid_path(directory_, rank)))));
  }
  return true;
}

bool KilledJob::ended() {
  if (!ended_) ended_ = ::waitpid(mpirun_, nullptr, WNOHANG) == mpirun_;
  return ended_;
}

bool KilledJob::wait_for_stop(int rank) {
  const auto stopped = [&] { return state_of(pid_of(rank)) == 'T'; };
  return wait_until([&] { return stopped() || ended(); }, kStartLimit) && stopped();
}

std::string KilledJob::stage_of(int rank) const {
  return word_in(stage_path(directory_, rank));
}

std::string KilledJob::output() const {
  std::ifstream file(directory_ / "output");
  return {std::istreambuf_iterator<char>(file), {}};
}

void KilledJob::kill_rank(int rank) const {
  ::kill(pid_of(rank), SIGKILL);
}

void KilledJob::kill_all_ranks() const {
  for (int rank = 0; rank < ranks_; ++rank) kill_rank(rank);
}

void KilledJob::kill_mpirun() const {
  ::kill(mpirun_, SIGKILL);
}

void KilledJob::resume(int rank) const {
  ::kill(pid_of(rank), SIGCONT);
}

int KilledJob::finish() {
  int by_hand = 0;
  if (mpirun_ > 0 && !wait_until([&] { return ended(); }, kEndLimit)) {
    ++by_hand;
    kill_mpirun();
    ::waitpid(mpirun_, nullptr, 0);
    ended_ = true;
  }
  for (const pid_t pid : pids_) {
    if (wait_until([&] { return is_gone(pid); }, kOrphanLimit)) continue;
    ++by_hand;
    ::kill(pid, SIGKILL);
  }
  return by_hand;
}

}  // namespace negatron::testing
