#include "launch/bank/bank_command.h"

#include <algorithm>
#include <ostream>

#include "launch/bank/bank_actions.h"
#include "launch/bank/bank_arguments.h"
#include "launch/exit_code.h"
#include "launch/one_process.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

void print_help(std::ostream& out) {
  out << "usage: negatron bank COMMAND PATH... [FLAGS]\n"
         "\n"
         "A PATH is a snapshot (RUN/snapshots/step-...) or a run directory: then its newest snapshot that verifies.\n"
         "One process, no mpirun. Nothing is ever overwritten. negatron bank COMMAND --help lists the flags.\n"
         "\n";
  constexpr std::size_t kSummaryColumn = 10;
  for (const BankAction& action : bank_actions()) {
    std::string name = action.name;
    name.resize(std::max(kSummaryColumn, name.size() + 1), ' ');
    out << "  " << name << action.summary << "\n";
  }
}

}  // namespace

void print_bank_completions(std::ostream& out) {
  out << "--help\n";
  for (const BankAction& action : bank_actions()) {
    out << action.name << "\n";
    action.run({BankArguments::kCompletions}, out, out);
  }
}

int run_bank(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print_help(out);
    return arguments.empty() ? kExitUsage : kExitOk;
  }
  return run_one_process("bank", problems, [&] {
    std::vector<std::string> names;
    for (const BankAction& action : bank_actions()) names.emplace_back(action.name);
    const auto found = std::find(names.begin(), names.end(), arguments[0]);
    if (found == names.end()) {
      const std::optional<std::string> near = nearest_name(arguments[0], names);
      return refuse(problems, "unknown command 'bank " + arguments[0] + "'" +
                                  (near ? ", did you mean bank " + *near + "?" : "; negatron bank --help lists them."));
    }
    const BankAction& action = bank_actions()[static_cast<std::size_t>(found - names.begin())];
    const int code = action.run({arguments.begin() + 1, arguments.end()}, out, problems);
    out << std::flush;
    return code;
  });
}

}  // namespace negatron
