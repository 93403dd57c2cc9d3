#include "launch/ranks_command.h"

#include <c10/util/Exception.h>

#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "comm/error.h"
#include "comm/together.h"
#include "launch/exit_code.h"
#include "launch/one_process.h"
#include "launch/start_limit.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// One write, so that ranks that fail together do not mix their words.
void report_of_rank(const Environment& environment, const std::string& message) {
  const std::string name = environment.roll_call()->name_of(environment.rank());
  std::cerr << ("[" + name + "] negatron: " + terminal_text(message) + "\n") << std::flush;
}

/// Every rank holds the same sentence (comm/together.h), so one says it and the job ends in order.
int refused(Environment& environment, const std::string& sentence) {
  if (environment.rank() == 0) refuse(std::cerr, sentence);
  environment.finish();
  return kExitUsage;
}

}  // namespace

int run_ranks_command(int argc, char** argv, const std::function<int(Environment&)>& command) {
  std::unique_ptr<Environment> environment;
  try {
    // An environment that could not be made has nothing to end in order.
    environment = std::make_unique<Environment>(&argc, &argv, start_limit(argc, argv));
  } catch (const CommError& error) {
    return refuse(std::cerr, error.what());
  }
  try {
    const int exit_code = command(*environment);
    environment->finish();
    return exit_code;
  } catch (const UsageError& error) {
    return refused(*environment, error.what());
  } catch (const FailedTogether& error) {
    // All ranks learned of the failure together. What the user can correct ends the job without MPI's own lines about
    // an abort; what broke while running is reported by each rank that threw.
    if (error.kind() == FailureKind::kRefused) return refused(*environment, error.what());
    report_of_rank(*environment, error.what());
    environment->abort(kExitFailure);
    // Other ranks may hang in the collective that did not end: only an abort reaches them, and its code tells a hang
    // from other failures.
  } catch (const TimeoutError& error) {
    report_of_rank(*environment, error.what());
    environment->abort(kExitHang);
  } catch (const c10::Error& error) {
    // The backtrace of a tensor library tells a user nothing and hides the sentence that does.
    report_of_rank(*environment, error.what_without_backtrace());
    environment->abort(kExitFailure);
  } catch (const std::exception& error) {
    report_of_rank(*environment, error.what());
    environment->abort(kExitFailure);
  }
}

}  // namespace negatron
