#include "launch/doctor/doctor.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "comm/error.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/mpi/topology.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/rank_texts.h"
#include "launch/compute_device.h"
#include "launch/doctor/alone_check.h"
#include "launch/doctor/clock_check.h"
#include "launch/doctor/collective_check.h"
#include "launch/doctor/directory_check.h"
#include "launch/doctor/gather_facts.h"
#include "launch/doctor/network_check.h"
#include "launch/doctor/quantity_text.h"
#include "launch/doctor/rank_groups.h"
#include "launch/doctor/resource_check.h"
#include "launch/doctor/result_within.h"
#include "launch/doctor/thread_check.h"
#include "launch/doctor/version_check.h"
#include "launch/exit_code.h"
#include "launch/starter_rank.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/files/process_identity.h"

namespace negatron {
namespace {

constexpr const char* kStart = "start of MPI";
constexpr const char* kReachAdvice =
    "see that all hosts are up and that a network which MPI may use leads from each to each; as a rule it tried one "
    "that "
    "does not (docker0, virbr0): OMPI_MCA_btl_tcp_if_include=10.0.0.0/24, say, names the right one";
/// For rank 0 to say all before another rank ends the job; beside the letters of a roll call.
constexpr std::chrono::seconds kGrace{4};

/// Whether this process is the one of its host that speaks for it before the ranks know each other.
bool is_first_of_host(const Variables& variable) {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"}) {
    if (const char* text = variable(name)) return std::atoi(text) == 0;
  }
  return true;
}

std::chrono::milliseconds earlier_than(std::chrono::milliseconds limit) {
  return limit * 9 / 10;
}

std::string limit_words(std::chrono::milliseconds limit) {
  return "within " + seconds_text(std::chrono::duration<double>(limit).count());
}

void say_beside(const std::string& sentence) {
  std::cerr << "negatron doctor: on host " + this_process().host + ", " + sentence + "\n" << std::flush;
}

}  // namespace

Doctor::Doctor(const DoctorArguments& request, std::ostream& out)
    : request_(request),
      launcher_(launcher_facts(environment_variables())),
      networks_(host_networks(environment_variables())),
      report_(out, request.json),
      watch_([this](const std::string& part, std::chrono::milliseconds limit) { last_words(part, limit); }) {
  report_.speak(starter_rank().rank == 0);
}

Findings Doctor::alone(const std::string& found, const std::string& advice) const {
  Findings findings = check_alone(launcher_, networks_);
  findings.push_back({kStart, found, "all ranks connected", advice, Severity::kBroken});
  return findings;
}

void Doctor::last_words(const std::string& part, std::chrono::milliseconds limit) {
  const std::string words = part + " did not end " + limit_words(limit);
  if (!report_.speaks()) {
    if (!is_starting_ || is_first_of_host(environment_variables())) {
      say_beside(words + "; " + check_networks({networks_}, {"here"}).front().found);
    }
    std::this_thread::sleep_for(kGrace);
    return;
  }
  if (is_starting_) {
    report_.add(alone("it did not end " + limit_words(limit) + " on host " + this_process().host, kReachAdvice));
  } else {
    report_.add({{part, "it did not end " + limit_words(limit), "an end", "see what that part does on each host",
                  Severity::kBroken}});
  }
  report_.close();
}

int Doctor::run(int* argc, char*** argv) {
  watch_.enter(kStart, request_.start_limit());
  // At once: where that is amiss MPI ends the process as it starts.
  report_.add(check_pmi(launcher_));
  std::unique_ptr<Environment> environment;
  try {
    // Behind the watch's own limit, which has more to say.
    environment = std::make_unique<Environment>(argc, argv, 2 * request_.start_limit());
  } catch (const CommError& error) {
    report_.add(alone(error.what(), "see what it says"));
    return report_.close();
  }
  report_.speak(environment->rank() == 0);
  try {
    examine(*environment);
  } catch (const std::exception& error) {
    report_.add(alone(error.what(), kReachAdvice));
    is_lost_ = true;
  }
  if (is_lost_) leave_lost(*environment);
  const int code = report_.close();
  watch_.enter("end of MPI", request_.part_limit());
  environment->finish();
  return code;
}

void Doctor::leave_lost(Environment& environment) {
  report_.close();
  if (!report_.speaks()) {
    // This rank may be the one that failed, and rank 0 still wait for it.
    std::this_thread::sleep_for(request_.part_limit() + kGrace);
    say_beside("rank 0 did not end the job, so rank " + std::to_string(environment.rank()) + " does.");
  }
  environment.abort(kExitFailure);
}

void Doctor::part(const std::string& name, const std::function<Findings()>& check) {
  if (is_lost_) return;
  // A collective ends by itself within a limit, and a roll call follows.
  watch_.enter(name, 2 * request_.part_limit() + 2 * kGrace);
  const auto lost = [&](const std::string& found, const std::string& advice) {
    is_lost_ = true;
    report_.add({{name, found, "an answer " + limit_words(request_.part_limit()), advice, Severity::kBroken}});
  };
  // Of this rank alone: the others only learn that it does not answer.
  const auto lost_here = [&](const std::string& found) {
    lost(found, "see what it says; nothing further was tried");
    if (!report_.speaks()) say_beside(name + ": " + found);
  };
  try {
    report_.add(check());
  } catch (const CommError& error) {
    lost(error.what(), "see that those hosts and the network to them are up; nothing further was tried");
  } catch (const c10::Error& error) {
    lost_here(error.what_without_backtrace());
  } catch (const std::exception& error) {
    lost_here(error.what());
  }
}

Findings Doctor::speed_of(Communicator& comm, at::Device device) {
  const std::string transport = device.is_cuda() ? "NCCL" : "MPI";
  if (comm.size() == 1) return {{"collectives over " + transport, "one rank: nothing travels", "anything"}};
  const std::vector<int> on_host = ranks_on_hosts(hosts_);
  const ExpectedSpeed expected = on_host.front() == comm.size()
                                     ? expected_in_memory(measure_copies(comm, device))
                                     : expected_over_network(network_rate(networks_of_ranks_, hosts_),
                                                             *std::max_element(on_host.begin(), on_host.end()));
  const double budget = std::chrono::duration<double>(request_.part_limit()).count() / 2.0;
  return check_collectives(transport, measure_collectives(comm, device, budget), expected);
}

void Doctor::examine_hosts(Communicator& comm) {
  part("launcher", [&] { return check_launcher(gather_facts(comm, launcher_), hosts_); });
  part("versions", [&] { return check_versions(gather_facts(comm, versions_here()), hosts_); });
  part("interfaces", [&] {
    networks_of_ranks_ = gather_facts(comm, networks_);
    return check_networks(networks_of_ranks_, hosts_);
  });
  part("memory", [&] { return check_resources(gather_facts(comm, resource_facts()), hosts_); });
  part("threads", [&] {
    const ThreadFacts own = thread_facts(comm, ranks_on_hosts(hosts_)[static_cast<std::size_t>(comm.rank())]);
    at::set_num_threads(own.threads);
    return check_threads(gather_facts(comm, own), hosts_);
  });
  part("clocks", [&] { return check_clocks(clock_offsets(comm), hosts_); });
}

void Doctor::examine_gpus(Communicator& comm, const Environment& environment) {
  if (request_.gpus == GpuUse::kNone) return;
  bool can_try = false;
  part("GPUs", [&] {
    const auto here = result_within<GpusHere>(request_.part_limit() / 2, gpus_here);
    const std::vector<GpusHere> all =
        gather_facts(comm, here.value_or(GpusHere{{}, "the driver did not answer in time"}));
    can_try = have_gpus(all, hosts_);
    return check_gpus(all, hosts_, request_.gpus);
  });
  if (!can_try || is_lost_) return;
  std::unique_ptr<Communicator> nccl;
  part("start of NCCL", [&]() -> Findings {
    watch_.enter("start of NCCL", earlier_than(request_.start_limit()));
    const at::Device device = compute_device(discover_topology(environment), at::kCUDA);
    nccl = make_nccl_communicator(comm, device.index(), {.time_limit = request_.start_limit()});
    return {};
  });
  part("collectives over NCCL",
       [&] { return speed_of(*nccl, compute_device(discover_topology(environment), at::kCUDA)); });
}

void Doctor::examine(const Environment& environment) {
  // Connects the ranks, which cannot be told to give up; its own limit would say less than the watch does.
  watch_.enter(kStart, earlier_than(request_.part_limit()));
  const std::unique_ptr<Communicator> comm = make_mpi_communicator(environment, {.time_limit = request_.part_limit()});
  is_starting_ = false;
  part("hosts", [&]() -> Findings {
    hosts_ = gather_texts(*comm, this_process().host);
    return {};
  });
  examine_hosts(*comm);
  part("collectives over MPI", [&] { return speed_of(*comm, at::kCPU); });
  if (!request_.run_dir.empty()) {
    const auto files = std::make_shared<PosixFileLayer>();
    part("directory", [&] {
      return check_directory(*comm, {request_.run_dir, files, request_.part_limit() / 2, request_.part_limit() / 5},
                             hosts_);
    });
  }
  examine_gpus(*comm, environment);
}

}  // namespace negatron
