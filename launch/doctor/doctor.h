#pragma once

#include <atomic>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi/environment.h"
#include "launch/doctor/doctor_flags.h"
#include "launch/doctor/doctor_report.h"
#include "launch/doctor/host_networks.h"
#include "launch/doctor/launcher_check.h"
#include "launch/doctor/part_watch.h"

namespace negatron {

/// Goes through all parts of `negatron doctor` on every rank at once, within the time that it was given, whatever
/// hangs: a file system (result_within.h), another rank (the limit of a collective), MPI's or NCCL's start (PartWatch).
/// What a part throws is a finding, and the next part follows unless the ranks have lost each other.
class Doctor {
 public:
  /// The report goes to `out`, on rank 0.
  Doctor(const DoctorArguments& request, std::ostream& out);

  /// Starts MPI and ends it. Collective in effect. Returns the exit code.
  int run(int* argc, char*** argv);

 private:
  /// The finding of a rank that MPI could not connect, and what is known without it.
  Findings alone(const std::string& found, const std::string& advice) const;
  void last_words(const std::string& part, std::chrono::milliseconds limit);

  void examine(const Environment& environment);
  /// What is known of each host and rank: the first parts.
  void examine_hosts(Communicator& comm);
  void examine_gpus(Communicator& comm, const Environment& environment);
  void part(const std::string& name, const std::function<Findings()>& check);
  Findings speed_of(Communicator& comm, at::Device device);
  [[noreturn]] void leave_lost(Environment& environment);

  const DoctorArguments request_;
  const LauncherFacts launcher_;
  const HostNetworks networks_;
  DoctorReport report_;
  /// Of all ranks, [P].
  std::vector<std::string> hosts_;
  std::vector<HostNetworks> networks_of_ranks_;
  std::atomic<bool> is_starting_{true};
  /// Another rank does not answer any more.
  bool is_lost_ = false;
  PartWatch watch_;
};

}  // namespace negatron
