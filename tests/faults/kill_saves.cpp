// Kills jobs that save snapshots, by signal 9, at random moments and at named stages: one rank, all ranks, or mpirun.
//   kill_saves [--kills N] [--ranks P] [--seed S]
// After each kill the newest snapshot that verifies must be exactly what its step makes it, and no older than the last
// commit that was reported. Exit 0 when none was lost, none mixed and no process left over.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "tests/faults/saving_worker.h"
#include "tests/runtime/data/temporary_directory.h"

extern char** environ;

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStartLimit{60};
constexpr std::chrono::seconds kEndLimit{5};
constexpr int kLongestWaitMs = 250;
/// Every second kill is at a stage, not at a time.
constexpr int kNamedEvery = 2;

struct Arguments {
  int kills = 50;
  int ranks = 2;
  unsigned seed = 1;
};

struct Counts {
  std::map<std::string, int> by_stage;
  std::map<std::string, int> by_victim;
  int lost = 0;
  int mixed = 0;
  int orphans = 0;
  /// Jobs that were not killed where they should have been: then nothing was tested.
  int missed = 0;
};

std::string word_in(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::int64_t last_reported(const fs::path& directory) {
  std::ifstream file(journal_path(directory));
  std::int64_t last = -1;
  for (std::int64_t step = 0; file >> step;) last = step;
  return last;
}

template <typename Done>
bool wait_until(const Done& done, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// One job under mpirun.
class Job {
 public:
  Job(const std::string& program, const fs::path& directory, int ranks, const std::string& fault)
      : directory_(directory), ranks_(ranks) {
    for (int rank = 0; rank < ranks; ++rank) fs::remove(pid_path(directory, rank));
    ::setenv("NEGATRON_FAULT", fault.c_str(), 1);
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
    if (posix_spawn(&mpirun_, words[0].c_str(), &quiet, nullptr, arguments.data(), environ) != 0) mpirun_ = -1;
    posix_spawn_file_actions_destroy(&quiet);
  }

  bool started() const {
    return mpirun_ > 0 &&
           wait_until([&] { return ended() || !word_in(pid_path(directory_, ranks_ - 1)).empty(); }, kStartLimit) &&
           read_pids();
  }

  bool ended() const {
    if (!ended_) ended_ = ::waitpid(mpirun_, nullptr, WNOHANG) == mpirun_;
    return ended_;
  }

  std::string stage_of(int rank) const {
    const std::string stage = word_in(stage_path(directory_, rank));
    return stage.empty() ? "between" : stage;
  }

  void kill_rank(int rank) const { ::kill(pids_.at(static_cast<std::size_t>(rank)), SIGKILL); }
  void kill_mpirun() const { ::kill(mpirun_, SIGKILL); }

  /// Returns how many processes had to be killed by hand.
  int finish() const {
    if (!wait_until([&] { return ended(); }, 4 * kEndLimit)) {
      kill_mpirun();
      ::waitpid(mpirun_, nullptr, 0);
      ended_ = true;
    }
    int orphans = 0;
    for (const pid_t pid : pids_) {
      if (wait_until([&] { return ::kill(pid, 0) != 0; }, kEndLimit)) continue;
      ++orphans;
      ::kill(pid, SIGKILL);
    }
    return orphans;
  }

 private:
  bool read_pids() const {
    for (int rank = 0; rank < ranks_; ++rank) {
      const auto known = [&] { return !word_in(pid_path(directory_, rank)).empty(); };
      if (!wait_until([&] { return ended() || known(); }, kStartLimit) || !known()) return false;
      pids_.push_back(static_cast<pid_t>(std::stoi(word_in(pid_path(directory_, rank)))));
    }
    return true;
  }

  fs::path directory_;
  int ranks_;
  pid_t mpirun_ = -1;
  mutable bool ended_ = false;
  mutable std::vector<pid_t> pids_;
};

/// Kills one job and looks at what is left. Returns false when the job could not even start.
bool kill_once(const std::string& program, const fs::path& directory, const Arguments& arguments, int number,
               std::mt19937& random, Counts& counts) {
  const bool named = number % kNamedEvery == 0;
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::string fault;
  std::string stage;
  int named_rank = 0;
  if (named) {
    stage = stages().at(1 + static_cast<std::size_t>(number / kNamedEvery) % (stages().size() - 1));
    // Only rank 0 commits.
    const bool by_all = stage == "open" || stage == "data" || stage == "flush" || stage == "fsync" || stage == "verify";
    if (by_all) named_rank = below(arguments.ranks);
    fault = stage + ":" + std::to_string(named_rank) + ":kill:" + std::to_string(1 + below(4));
  }
  const Job job(program, directory, arguments.ranks, fault);
  if (!job.started()) {
    std::cerr << "the job did not start:\n" << std::ifstream(directory / "output").rdbuf();
    job.finish();
    return false;
  }
  std::string victim = "a rank at a stage";
  if (!named) {
    std::this_thread::sleep_for(std::chrono::milliseconds(below(kLongestWaitMs)));
    const int rank = below(arguments.ranks);
    if (job.ended()) {
      std::cerr << "the job ended by itself:\n" << std::ifstream(directory / "output").rdbuf();
      return false;
    }
    stage = job.stage_of(rank);
    const int kind = below(3);
    victim = kind == 0 ? "a rank" : kind == 1 ? "all ranks" : "mpirun";
    if (kind == 0) job.kill_rank(rank);
    for (int i = 0; kind == 1 && i < arguments.ranks; ++i) job.kill_rank(i);
    if (kind == 2) job.kill_mpirun();
  }
  counts.orphans += job.finish();
  if (named && job.stage_of(named_rank) != stage) {
    ++counts.missed;
    std::cout << "kill " << number << ": the job ended before it was killed at " << stage << ":\n"
              << std::ifstream(directory / "output").rdbuf();
  }
  ++counts.by_stage[stage];
  ++counts.by_victim[victim];

  const std::int64_t reported = last_reported(directory);
  std::int64_t step = -1;
  const std::string wrong = check_newest(directory, 1 + below(3), step);
  if (!wrong.empty()) {
    ++counts.mixed;
    std::cout << "kill " << number << " (" << victim << ", " << stage << "): " << wrong << "\n";
  }
  if (step < reported) {
    ++counts.lost;
    std::cout << "kill " << number << " (" << victim << ", " << stage << "): step " << reported
              << " was reported, step " << step << " is left\n";
  }
  return true;
}

int kill_many(const std::string& program, const Arguments& arguments) {
  const TemporaryDirectory directory;
  std::mt19937 random(arguments.seed);
  Counts counts;
  const auto began = Clock::now();
  for (int number = 1; number <= arguments.kills; ++number) {
    if (!kill_once(program, directory.path(), arguments, number, random, counts)) return 1;
  }
  std::cout << arguments.kills << " kills of " << arguments.ranks << " ranks in "
            << std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began).count() << " s; "
            << last_reported(directory.path()) << " steps reported\n";
  for (const auto& [victim, count] : counts.by_victim) std::cout << "  " << count << " x " << victim << "\n";
  for (const std::string& stage : stages()) std::cout << "  at " << stage << ": " << counts.by_stage[stage] << "\n";
  std::cout << counts.lost << " lost, " << counts.mixed << " mixes, " << counts.orphans << " processes left over, "
            << counts.missed << " not killed\n";
  const bool committed = last_reported(directory.path()) > 0;
  if (!committed) std::cout << "no commit was ever reported, so nothing could be lost: this run proves nothing\n";
  return committed && counts.lost + counts.mixed + counts.orphans + counts.missed == 0 ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--worker") return save_until_killed(argc, argv, argv[i + 1]);
    const int value = std::atoi(argv[i + 1]);
    if (name == "--kills" && value > 0) {
      arguments.kills = value;
    } else if (name == "--ranks" && value > 0) {
      arguments.ranks = value;
    } else if (name == "--seed") {
      arguments.seed = static_cast<unsigned>(value);
    } else {
      std::cerr << "usage: kill_saves [--kills N] [--ranks P] [--seed S]\n";
      return 2;
    }
  }
  return kill_many(fs::canonical("/proc/self/exe").string(), arguments);
}

}  // namespace
}  // namespace negatron::testing

int main(int argc, char** argv) {
  try {
    return negatron::testing::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "kill_saves: " << error.what() << "\n";
    return 1;
  }
}
