#include "tests/faults/named_fault.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace negatron::testing {

NamedFault parse_fault(const std::string& text) {
  NamedFault fault;
  if (text.empty()) return fault;
  std::istringstream fields(text);
  std::string rank;
  std::string on = "1";
  std::getline(fields, fault.stage, ':');
  std::getline(fields, rank, ':');
  std::getline(fields, fault.action, ':');
  std::getline(fields, on);
  const bool known =
      fault.action == "kill" || fault.action == "stop" || fault.action == "error" || fault.action == "delay";
  if (fault.stage.empty() || rank.empty() || !known) {
    throw std::invalid_argument("a fault is STAGE:RANK:kill|stop|error|delay[:N], not '" + text + "'");
  }
  fault.rank = std::stoi(rank);
  if (!on.empty()) fault.on = std::stoi(on);
  return fault;
}

SavePointHook fault_hook(const NamedFault& fault, int rank) {
  auto reached = std::make_shared<std::atomic<int>>(0);
  return [fault, rank, reached](std::string_view stage) {
    if (rank != fault.rank || stage != fault.stage || ++*reached != fault.on) return;
    if (fault.action == "kill") ::kill(::getpid(), SIGKILL);
    // Of this thread, which so goes no step further; the others stop with it.
    if (fault.action == "stop") ::raise(SIGSTOP);
    if (fault.action == "error") throw std::runtime_error("failed on purpose at " + fault.stage);
    if (fault.action == "delay") std::this_thread::sleep_for(std::chrono::seconds(1));
  };
}

}  // namespace negatron::testing
