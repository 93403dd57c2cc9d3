// Gives damaged and hostile snapshots and matrices to the readers, each in a process of its own.
//   fuzz_bank [--cases N] [--seed S] [--only I] [--keep DIRECTORY]
// Case I is the same for the same seed, whatever the others are. A reader may end with code 0, 1 or 2 and must say why
// in words that a terminal takes; it may not crash, hang, take much memory, change what it was given, or touch what
// lies outside. What fails is told with the command that repeats it, and its input is kept. Exit 0 when nothing failed.

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <ATen/Parallel.h>

#include "comm/threads/thread_communicator.h"
#include "launch/bank/bank_command.h"
#include "launch/exit_code.h"
#include "runtime/run/resume.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "tests/faults/guarded_child.h"
#include "tests/faults/hostile_snapshots.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/small_run.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kCaseStride = 1000003;
constexpr std::size_t kMostSaid = 16384;
/// What a child ends with when it says what no terminal should get.
constexpr int kSaidTooMuch = 97;

struct Arguments {
  int cases = 300;
  unsigned seed = 1;
  int only = -1;
  std::string keep = "fuzz-failures";
};

struct Counts {
  int cases = 0;
  std::map<int, int> codes;
  int failed = 0;
  double most_seconds = 0.0;
  std::int64_t most_bytes = 0;
};

bool is_fit_for_a_terminal(const std::string& said) {
  const auto is_control = [](char byte) {
    return (byte >= 0 && byte < ' ' && byte != '\n' && byte != '\t') || byte == 127;
  };
  return said.size() <= kMostSaid && std::none_of(said.begin(), said.end(), is_control);
}

int run_bank_quietly(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream problems;
  const int code = run_bank(words, out, problems);
  return is_fit_for_a_terminal(problems.str()) && is_fit_for_a_terminal(out.str()) ? code : kSaidTooMuch;
}

/// What `pretrain --resume auto` does before it trains, on one rank.
int restore(const fs::path& run_directory, const HostileRun& from) {
  int code = kExitOk;
  run_ranks(1, CommunicatorOptions{}, [&](Communicator& comm) {
    try {
      PosixFileLayer files;
      const FoundSnapshot found = find_newest_snapshot(comm, files, run_directory, {});
      if (!found.snapshot) {
        code = kExitUsage;
        return;
      }
      load_trainer(*found.snapshot);
      SmallRun run;
      run.kind = from.kind;
      for (const std::string& name : from.banks) {
        Bank bank = run.bank(0, 1);
        LoadBankOptions options;
        options.name = name;
        load_bank(*found.snapshot, bank, options);
      }
    } catch (const SnapshotError& error) {
      code = is_fit_for_a_terminal(error.what()) ? kExitUsage : kSaidTooMuch;
    }
  });
  return code;
}

/// The names, sizes and times of everything in a folder.
std::string listing(const fs::path& folder) {
  std::ostringstream text;
  std::map<std::string, std::string> entries;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::ostringstream line;
    if (!entry.is_symlink() && entry.is_regular_file()) {
      line << entry.file_size() << ' ' << entry.last_write_time().time_since_epoch().count();
    }
    entries[entry.path().string()] = line.str();
  }
  for (const auto& [name, line] : entries) text << name << ' ' << line << '\n';
  return text.str();
}

class Fuzzer {
 public:
  explicit Fuzzer(const Arguments& arguments) : arguments_(arguments), hostile_(directory_ / "whole") {}

  int run() {
    const int first = arguments_.only >= 0 ? arguments_.only : 0;
    const int end = arguments_.only >= 0 ? arguments_.only + 1 : arguments_.cases;
    for (int number = first; number < end; ++number) one(number);
    int failed = 0;
    for (const auto& [kind, counts] : counts_) {
      std::cout << kind << ": " << counts.cases << " cases, exit codes";
      for (const auto& [code, times] : counts.codes) std::cout << ' ' << code << ": " << times;
      std::cout << ", at most " << counts.most_seconds << " s and " << (counts.most_bytes >> 20U) << " MiB, "
                << counts.failed << " failed\n";
      failed += counts.failed;
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }

 private:
  void one(int number) {
    std::mt19937 random(arguments_.seed * kCaseStride + static_cast<unsigned>(number));
    const std::vector<std::string>& kinds = HostileSnapshots::kinds();
    const std::string& kind = kinds[static_cast<std::size_t>(number) % kinds.size()];
    const std::size_t round = static_cast<std::size_t>(number) / kinds.size();
    const HostileRun& run = hostile_runs()[round % hostile_runs().size()];
    const fs::path folder = directory_ / "case";
    const fs::path input = hostile_.make(kind, run, folder, random);
    const std::string whole = listing(directory_ / "whole");
    const std::string given = listing(folder);
    const bool restores = !HostileSnapshots::is_matrix(kind) && random() % 3 == 0;
    const ChildEnd end = run_guarded({}, [&] {
      return restores ? restore(folder, run) : read(kind, run, input, static_cast<std::uint32_t>(random()));
    });
    std::string complaint = end.complaint;
    if (complaint.empty() && listing(directory_ / "whole") != whole) complaint = "changed what lies outside";
    // Restoring may set a snapshot aside; an import writes its bank.
    const bool may_change = restores || HostileSnapshots::is_matrix(kind);
    if (complaint.empty() && !may_change && listing(folder) != given) complaint = "changed what it was given";
    const std::string name = HostileSnapshots::is_matrix(kind) ? kind : kind + " of a run of kind " + run.name();
    Counts& counts = counts_[name];
    ++counts.cases;
    ++counts.codes[end.code];
    counts.most_seconds = std::max(counts.most_seconds, end.seconds);
    counts.most_bytes = std::max(counts.most_bytes, end.bytes);
    if (!complaint.empty()) fail(number, name, complaint, folder);
    fs::remove_all(folder);
    fs::remove_all(directory_ / "made");
  }

  int read(const std::string& kind, const HostileRun& run, const fs::path& input, std::uint32_t choice) const {
    const std::string path = input.string();
    if (HostileSnapshots::is_matrix(kind)) {
      return run_bank_quietly({"import", path, (directory_ / "case" / "made").string()});
    }
    const fs::path made = directory_ / "made";
    fs::create_directory(made);
    const auto named = [&](std::vector<std::string> words) {
      if (!run.banks.back().empty()) words.insert(words.end(), {"--name", run.banks.back()});
      return words;
    };
    switch (choice % 8) {
      case 0:
        return run_bank_quietly({"info", path});
      case 1:
        return run_bank_quietly({"diff", path, hostile_.whole(run).string()});
      case 2:
        return run_bank_quietly({"reshard", path, (made / "bank").string(), "--ranks", "3"});
      case 3:
        return run_bank_quietly(named({"extract", path, (made / "rows.h5").string(), "--range", "0:9"}));
      case 4:
        return run_bank_quietly(named({"near", path, "--ids", "1"}));
      case 5:
        return run_bank_quietly({"merge", path, hostile_.whole(run).string(), (made / "bank").string()});
      default:
        return run_bank_quietly({"verify", path});
    }
  }

  void fail(int number, const std::string& kind, const std::string& complaint, const fs::path& folder) {
    ++counts_[kind].failed;
    const fs::path kept = fs::path(arguments_.keep) / ("case-" + std::to_string(number));
    std::error_code error;
    fs::remove_all(kept, error);
    fs::create_directories(kept.parent_path(), error);
    fs::rename(folder, kept, error);
    if (error) fs::copy(folder, kept, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    std::cout << "FAILED: case " << number << " (" << kind << ") " << complaint << "; fuzz_bank --seed "
              << arguments_.seed << " --only " << number << "; kept in " << kept.string() << "\n"
              << std::flush;
  }

  Arguments arguments_;
  TemporaryDirectory directory_;
  HostileSnapshots hostile_;
  std::map<std::string, Counts> counts_;
};

bool read_arguments(int argc, char** argv, Arguments& arguments) {
  const auto number = [](const std::string& text, auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return false;
    const std::string value = argv[i + 1];
    const bool good = name == "--cases"  ? number(value, arguments.cases)
                      : name == "--seed" ? number(value, arguments.seed)
                      : name == "--only" ? number(value, arguments.only)
                                         : name == "--keep";
    if (!good) return false;
    if (name == "--keep") arguments.keep = value;
  }
  return true;
}

}  // namespace
}  // namespace negatron::testing

int main(int argc, char** argv) {
  negatron::testing::Arguments arguments;
  if (!negatron::testing::read_arguments(argc, argv, arguments)) {
    std::cerr << "usage: fuzz_bank [--cases N] [--seed S] [--only I] [--keep DIRECTORY]\n";
    return EXIT_FAILURE;
  }
  // Children are forked from a process without threads.
  at::set_num_threads(1);
  return negatron::testing::Fuzzer(arguments).run();
}
