// Kills jobs that save snapshots, by signal 9, at random moments and at named stages: one rank, all ranks, or mpirun.
//   kill_saves [--kills N] [--ranks P] [--seed S] [--lanes L]
// L jobs run at a time, each with a directory of its own: most of a kill is waiting for mpirun.
// After each kill the newest snapshot that verifies must be exactly what its step makes it, and no older than the last
// commit that was reported. Exit 0 when none was lost, none mixed, no process left over, and the kills fell where they
// should have.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "tests/faults/killed_job.h"
#include "tests/faults/saving_worker.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kLongestWaitMs = 250;
/// Each kill has a seed of its own, so that it is the same in any lane.
constexpr unsigned kSeedStride = 1000003;
/// Every third kill is at a random time, the others at a stage.
constexpr int kAtRandomEvery = 3;
/// A stage is met for the n-th time, n up to this: a save meets most of them once or a few times.
constexpr int kMostMeetings = 6;
constexpr std::array<const char*, 3> kVictims{"a rank", "all ranks", "mpirun"};

struct Arguments {
  int kills = 50;
  int ranks = 2;
  unsigned seed = 1;
  int lanes = 2;
};

struct Kill {
  int number = 0;
  std::string stage;
  std::string victim;
};

struct Counts {
  /// By stage, then by victim.
  std::map<std::string, std::map<std::string, int>> kills;
  int at_random = 0;
  int lost = 0;
  int mixed = 0;
  int orphans = 0;
  /// Jobs that were not killed where they should have been: then nothing was tested.
  int missed = 0;
  std::int64_t commits = 0;
};

void add(Counts& all, const Counts& some) {
  for (const auto& [stage, victims] : some.kills) {
    for (const auto& [victim, count] : victims) all.kills[stage][victim] += count;
  }
  all.at_random += some.at_random;
  all.lost += some.lost;
  all.mixed += some.mixed;
  all.orphans += some.orphans;
  all.missed += some.missed;
  all.commits += some.commits;
}

struct Journal {
  std::int64_t last_step = -1;
  std::int64_t commits = 0;
};

Journal read_journal(const fs::path& directory) {
  std::ifstream file(journal_path(directory));
  Journal journal;
  for (std::int64_t step = 0; file >> step; ++journal.commits) journal.last_step = step;
  return journal;
}

/// Kills one job after the other in one directory.
class Lane {
 public:
  Lane(std::string program, const Arguments& arguments) : program_(std::move(program)), arguments_(arguments) {}

  /// Returns false when the job could not even start.
  bool kill_once(int number) {
    random_.seed(arguments_.seed * kSeedStride + static_cast<unsigned>(number));
    Kill kill{number, "", kVictims.at(static_cast<std::size_t>(number / kAtRandomEvery) % kVictims.size())};
    const bool at_random = number % kAtRandomEvery == 0;
    int rank = below(arguments_.ranks);
    std::string fault;
    if (!at_random) {
      kill.stage = stages().at(static_cast<std::size_t>(number - number / kAtRandomEvery) % stages().size());
      if (is_of_rank_0(kill.stage)) rank = 0;
      fault = kill.stage + ":" + std::to_string(rank) +
              ":stop:" + std::to_string(1 + below(kill.stage == "replace" ? 2 : kMostMeetings));
      // Which victim meets which stage changes from round to round.
      kill.victim = kVictims.at(static_cast<std::size_t>(below(static_cast<int>(kVictims.size()))));
    }
    KilledJob job(program_, directory_.path(), arguments_.ranks, fault);
    if (!job.started()) {
      std::cerr << "the job did not start:\n" << job.output();
      job.finish();
      return false;
    }
    if (at_random) {
      std::this_thread::sleep_for(std::chrono::milliseconds(below(kLongestWaitMs)));
      kill.stage = job.stage_of(rank);
      ++counts_.at_random;
    }
    if (at_random ? job.ended() : !(job.wait_for_stop(rank) && job.stage_of(rank) == kill.stage)) {
      ++counts_.missed;
      std::cout << describe(kill) << "the job ended or hung before:\n" << job.output();
    }
    strike(job, kill.victim, rank);
    counts_.orphans += job.finish();
    ++counts_.kills[kill.stage][kill.victim];
    look(kill);
    return true;
  }

  Counts counts() const {
    Counts counts = counts_;
    counts.commits = read_journal(directory_.path()).commits;
    return counts;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  static std::string describe(const Kill& kill) {
    return "kill " + std::to_string(kill.number) + " (" + kill.victim + ", " + kill.stage + "): ";
  }

  static void strike(const KilledJob& job, const std::string& victim, int rank) {
    if (victim == kVictims[0]) job.kill_rank(rank);
    if (victim == kVictims[1]) job.kill_all_ranks();
    if (victim == kVictims[2]) {
      job.kill_mpirun();
      // It stopped itself at its stage; now it goes on until it hears of the death of mpirun.
      job.resume(rank);
    }
  }

  void look(const Kill& kill) {
    std::int64_t step = -1;
    // Restored on other numbers of ranks too.
    const std::string wrong = check_newest(directory_.path(), 1 + below(3), step);
    if (!wrong.empty()) {
      ++counts_.mixed;
      std::cout << describe(kill) << wrong << "\n";
    }
    const std::int64_t reported = read_journal(directory_.path()).last_step;
    if (step < reported) {
      ++counts_.lost;
      std::cout << describe(kill) << "step " << reported << " was reported, step " << step << " is left\n";
    }
  }

  std::string program_;
  TemporaryDirectory directory_;
  Arguments arguments_;
  std::mt19937 random_;
  Counts counts_;
};

/// Returns the exit code.
int summarize(const Arguments& arguments, const Counts& counts, double seconds) {
  std::cout << arguments.kills << " kills of " << arguments.ranks << " ranks in " << std::lround(seconds) << " s, "
            << counts.at_random << " of them at random times; " << counts.commits << " commits reported\n"
            << std::setw(10) << "stage";
  for (const char* victim : kVictims) std::cout << std::setw(11) << victim;
  std::cout << "\n";
  std::size_t stages_met = 0;
  for (const std::string& stage : stages()) {
    const auto row = counts.kills.find(stage);
    if (row != counts.kills.end()) ++stages_met;
    std::cout << std::setw(10) << stage;
    for (const char* victim : kVictims) {
      const bool any = row != counts.kills.end() && row->second.contains(victim);
      std::cout << std::setw(11) << (any ? row->second.at(victim) : 0);
    }
    std::cout << "\n";
  }
  std::cout << arguments.kills << " kills, " << counts.lost << " lost, " << counts.mixed << " mixes, " << counts.orphans
            << " processes left over, " << counts.missed << " not killed where they should be\n";
  const std::size_t stages_due = std::min(stages().size(), static_cast<std::size_t>(arguments.kills) / 2);
  bool proves = true;
  if (stages_met < stages_due) {
    std::cout << "the kills fell in " << stages_met << " stages and not in " << stages_due << "\n";
    proves = false;
  }
  if (counts.commits < arguments.kills / 2) {
    std::cout << "so few commits were reported that hardly anything could be lost\n";
    proves = false;
  }
  return proves && counts.lost + counts.mixed + counts.orphans + counts.missed == 0 ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const char* text = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--worker") return save_until_killed(argc, argv, text);
    const int value = std::atoi(text);
    if (name == "--kills" && value > 0) {
      arguments.kills = value;
    } else if (name == "--ranks" && value > 0) {
      arguments.ranks = value;
    } else if (name == "--seed" && *text != '\0') {
      arguments.seed = static_cast<unsigned>(value);
    } else if (name == "--lanes" && value > 0) {
      arguments.lanes = value;
    } else {
      std::cerr << "usage: kill_saves [--kills N] [--ranks P] [--seed S] [--lanes L]\n";
      return 2;
    }
  }
  const auto began = Clock::now();
  const std::string program = fs::canonical("/proc/self/exe").string();
  std::atomic<int> next = 1;
  std::vector<std::future<std::optional<Counts>>> lanes;
  for (int i = 0; i < arguments.lanes; ++i) {
    lanes.push_back(std::async(std::launch::async, [&]() -> std::optional<Counts> {
      Lane lane(program, arguments);
      for (int number = next++; number <= arguments.kills; number = next++) {
        if (!lane.kill_once(number)) return std::nullopt;
      }
      return lane.counts();
    }));
  }
  Counts counts;
  bool started = true;
  for (auto& lane : lanes) {
    const std::optional<Counts> own = lane.get();
    if (own) add(counts, *own);
    started = started && own;
  }
  if (!started) return 1;
  return summarize(arguments, counts, std::chrono::duration<double>(Clock::now() - began).count());
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
