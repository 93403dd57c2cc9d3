#include "launch/one_process.h"

#include <c10/util/Exception.h>

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "comm/mpi/launcher.h"
#include "launch/exit_code.h"
#include "launch/starter_rank.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// Longer than the first rank takes to come as far on a busy machine; a launcher ends the others when it has left.
constexpr std::chrono::seconds kFirstSpeaks{10};

int failed(std::ostream& problems, const std::string& message) {
  problems << "negatron: " << terminal_text(message) << "\n";
  return kExitFailure;
}

}  // namespace

int refuse(std::ostream& problems, const std::string& message) {
  problems << "negatron: " << terminal_text(message) << "\n";
  return kExitUsage;
}

int run_one_process(const std::string& name, std::ostream& problems, const std::function<int()>& act) {
  if (const StarterRank started = starter_rank(); started.count > 1 && is_started_by_launcher()) {
    if (started.rank != 0) {
      // mpirun ends all ranks when one has failed, and the first has not spoken yet.
      std::this_thread::sleep_for(kFirstSpeaks);
      return kExitUsage;
    }
    return refuse(problems, "negatron " + name + " is one process: start it without mpirun or srun, or with -n 1.");
  }
  try {
    return act();
  } catch (const UsageError& error) {
    return refuse(problems, error.what());
  } catch (const std::invalid_argument& error) {
    return refuse(problems, error.what());
  } catch (const c10::Error& error) {
    return failed(problems, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failed(problems, error.what());
  }
}

}  // namespace negatron
