#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "comm/mpi/environment.h"
#include "launch/bank/bank_command.h"
#include "launch/completion/bash_completion.h"
#include "launch/doctor/doctor_command.h"
#include "launch/early_signals.h"
#include "launch/embed/embed_command.h"
#include "launch/evaluate/evaluate_command.h"
#include "launch/exit_code.h"
#include "launch/export/export_command.h"
#include "launch/flags/field_names.h"
#include "launch/one_process.h"
#include "launch/plan/plan_command.h"
#include "launch/pretrain/method_list.h"
#include "launch/pretrain/pretrain_command.h"
#include "launch/pretrain/signal_watch.h"
#include "launch/ranks_command.h"
#include "launch/report/report_command.h"
#include "launch/standard_stream.h"
#include "launch/version.h"
#include "samplers/options/nearest_name.h"

namespace {

using namespace negatron;

constexpr const char* kUsage =
    "negatron: contrastive pretraining with a bank of negatives sharded over the ranks of a job\n"
    "\n"
    "usage: [mpirun -n RANKS] negatron COMMAND [FLAGS]\n"
    "       negatron help [COMMAND], negatron --version\n"
    "\n"
    "commands:\n";

constexpr const char* kExitCodes =
    "\n"
    "exit codes: 0 done, 1 failed while running, 2 cannot work as asked, 3 a collective did not finish in time,\n"
    "            4 the last snapshot could not be written, 75 saved on SIGUSR1, SIGUSR2 or Ctrl-C: start again with\n"
    "            --resume auto, 130 left at the second Ctrl-C, 141 nobody reads what is printed, 143 ended by "
    "SIGTERM\n";

using Words = std::vector<std::string>;

/// What a command is called, says of itself and does.
struct Command {
  std::string name;
  /// Lines, without the column of the names.
  Words summary;
  /// Runs with the words behind its name. Returns the exit code.
  std::function<int(int argc, char** argv, const Words& arguments)> run;
  /// What a shell completes behind it, in the lines of CompletedCommand; null for nothing.
  std::function<void(std::ostream& out)> print_completions{};
};

bool asks_for(const Words& arguments, const std::string& flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

int usage_error(const std::string& message) {
  return refuse(std::cerr, message);
}

bool asks_for_help(const Words& arguments) {
  return asks_for(arguments, "--help") || asks_for(arguments, "-h");
}

int run_pretrain_command(int argc, char** argv, const Words& arguments) {
  const auto print = [](void (*what)(std::ostream&)) -> int {
    give_up_early_signals();
    what(std::cout);
    return kExitOk;
  };
  if (asks_for(arguments, "--list-samplers")) return print(print_samplers);
  if (asks_for(arguments, "--list-objectives")) return print(print_objectives);
  if (asks_for_help(arguments)) return print(print_pretrain_help);
  // Before anything else: MPI's own start takes seconds in which a signal may come.
  SignalWatch signals;
  return run_ranks_command(argc, argv,
                           [&](Environment& environment) { return run_pretrain(environment, arguments, signals); });
}

int run_bank_command(int, char**, const Words& arguments) {
  return run_bank(arguments, std::cout, std::cerr);
}

int run_export_command(int, char**, const Words& arguments) {
  return run_export(arguments, std::cout, std::cerr);
}

int run_evaluate_command(int argc, char** argv, const Words& arguments) {
  if (asks_for_help(arguments)) {
    print_evaluate_help(std::cout);
    return kExitOk;
  }
  return run_ranks_command(argc, argv,
                           [&](Environment& environment) { return run_evaluate(environment, arguments, std::cout); });
}

int run_embed_command(int argc, char** argv, const Words& arguments) {
  if (asks_for_help(arguments)) {
    print_embed_help(std::cout);
    return kExitOk;
  }
  return run_ranks_command(argc, argv,
                           [&](Environment& environment) { return run_embed(environment, arguments, std::cout); });
}

int run_report_command(int, char**, const Words& arguments) {
  return run_report(arguments, std::cout, std::cerr);
}

int run_plan_command(int argc, char** argv, const Words& arguments) {
  if (asks_for_help(arguments)) {
    print_plan_help(std::cout);
    return kExitOk;
  }
  return run_ranks_command(argc, argv,
                           [&](Environment& environment) { return run_plan(environment, arguments, std::cout); });
}

int run_doctor_command(int argc, char** argv, const Words& arguments) {
  if (asks_for_help(arguments)) {
    print_doctor_help(std::cout);
    return kExitOk;
  }
  return run_doctor(argc, argv, arguments, std::cout, std::cerr);
}

int run_completion_command(int argc, char** argv, const Words& arguments);

/// All commands, in the order in which they are listed.
const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"pretrain",
       {"pretrain an encoder; negatron pretrain --help lists the flags,",
        "--list-samplers and --list-objectives what can be chosen"},
       run_pretrain_command,
       print_pretrain_completions},
      {"evaluate",
       {"how well a trained encoder's features classify any images: kNN and linear probe, beside raw pixels and",
        "random weights; negatron evaluate --help lists the flags"},
       run_evaluate_command,
       print_evaluate_completions},
      {"embed",
       {"features or embeddings of any images as .npy or HDF5; negatron embed --help lists the flags"},
       run_embed_command,
       print_embed_completions},
      {"export",
       {"the trained encoder as a file of weights that torchvision, timm and this program load; needs no",
        "mpirun; negatron export --help lists the flags"},
       run_export_command,
       print_export_completions},
      {"bank",
       {"look at saved banks, check, compare and change them: info, verify, reshard, diff, merge, extract,",
        "near, import; needs no mpirun; negatron bank --help says more"},
       run_bank_command,
       print_bank_completions},
      {"report",
       {"one page of HTML that shows what one or several runs did: negatron report RUN...; needs no mpirun"},
       run_report_command,
       print_report_completions},
      {"plan",
       {"memory, bytes and time per step on clusters of 8 to 4,096 GPUs; --here measures this machine and",
        "checks the prediction; negatron plan --help lists the flags"},
       run_plan_command,
       print_plan_completions},
      {"doctor",
       {"whether the launcher, hosts, network and directory of this job will do, in under a minute;",
        "negatron doctor --help lists the flags"},
       run_doctor_command,
       print_doctor_completions},
      {"completion",
       {"commands, flags and their values for the shell to complete: source <(negatron completion bash)"},
       run_completion_command,
       [](std::ostream& out) { out << "bash\n"; }}};
  return all;
}

int run_completion_command(int, char**, const Words& arguments) {
  constexpr const char* kCompletionUsage = "usage: negatron completion bash\n";
  if (asks_for_help(arguments)) {
    std::cout << kCompletionUsage << "\nPrints a script: source <(negatron completion bash), in ~/.bashrc for good.\n";
    return kExitOk;
  }
  if (arguments != Words{"bash"}) return usage_error("completion is there for bash: negatron completion bash");
  std::vector<CompletedCommand> completed;
  for (const Command& command : commands()) {
    std::ostringstream lines;
    if (command.print_completions) command.print_completions(lines);
    completed.push_back({command.name, lines.str()});
  }
  print_bash_completion(std::cout, completed);
  return kExitOk;
}

void print_usage(std::ostream& out) {
  constexpr std::size_t kSummaryColumn = 14;
  out << kUsage;
  for (const Command& command : commands()) {
    std::string column = "  " + command.name;
    for (const std::string& line : command.summary) {
      column.resize(kSummaryColumn, ' ');
      out << column << line << "\n";
      column.clear();
    }
  }
  out << kExitCodes << "\n" << version_line() << "\n";
}

int unknown_command(const std::string& typed) {
  const std::string unknown = "unknown command '" + typed + "'";
  const std::string preset = preset_of(typed);
  if (!preset.empty()) {
    return usage_error(unknown + "; the flags of that method are a file: negatron pretrain --config " + preset);
  }
  Words names;
  for (const Command& command : commands()) names.push_back(command.name);
  const std::optional<std::string> near = nearest_name(typed, names);
  return usage_error(unknown + (near ? ", did you mean " + *near + "?" : "; negatron help lists the commands."));
}

int run_command_line(int argc, char** argv) {
  Words words(argv + 1, argv + argc);
  if (words.empty()) {
    print_usage(std::cout);
    return kExitUsage;
  }
  // "help bank info" is "bank info --help".
  if (words[0] == "help" && words.size() > 1) {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage(std::cout);
    return kExitOk;
  }
  if (words[0] == "--version") {
    std::cout << version_line() << "\n";
    return kExitOk;
  }
  for (const Command& command : commands()) {
    if (command.name == words[0]) return command.run(argc, argv, {words.begin() + 1, words.end()});
  }
  return unknown_command(words[0]);
}

}  // namespace

int main(int argc, char** argv) {
  take_standard_streams();
  const int exit_code = end_of_output(run_command_line(argc, argv));
#ifdef __SANITIZE_ADDRESS__
  // Leaks are looked for on the way that main returns.
  return exit_code;
#else
  std::cerr << std::flush;
  // All is written, closed and joined. What main's return would do more is to take LibTorch's registers of operators
  // apart, a quarter of what a short command takes.
  std::fflush(nullptr);
  std::_Exit(exit_code);
#endif
}
