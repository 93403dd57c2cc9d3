#include "launch/python/python_group.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <utility>
#include <vector>

#include "comm/error.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/process_group/process_group_communicator.h"
#include "comm/threads/lone_communicator.h"

namespace negatron::python {
namespace {

// Of the job, where a program that would have succeeded leaves a collective behind.
constexpr int kGivenUpExitCode = 1;

/// What outlives every group. Never destroyed by itself: a process that was forked must not end the MPI of its parent.
struct Job {
  pid_t process = getpid();
  std::unique_ptr<Environment> environment;
  bool mpi_ended = false;
  std::vector<std::weak_ptr<Group>> groups;
  /// Those that wait for the exit code (close_groups_at_exit).
  std::vector<std::shared_ptr<Group>> waiting;
};

Job& job() {
  static Job* own = new Job;
  return *own;
}

std::shared_ptr<Group> remembered(std::unique_ptr<Communicator> comm) {
  auto group = std::make_shared<Group>(std::move(comm));
  std::erase_if(job().groups, [](const auto& known) { return known.expired(); });
  job().groups.push_back(group);
  return group;
}

/// One that another thread is in a collective of; null where there is none.
std::shared_ptr<Group> group_in_use() {
  for (const std::weak_ptr<Group>& known : job().groups) {
    std::shared_ptr<Group> group = known.lock();
    if (group != nullptr && group->in_use()) return group;
  }
  return nullptr;
}

}  // namespace

Group::Group(std::unique_ptr<Communicator> comm)
    : comm_(std::move(comm)),
      process_(getpid()),
      rank_(comm_->rank()),
      size_(comm_->size()),
      transport_(comm_->transport()) {}

Group::Use Group::use() {
  if (getpid() != process_) {
    throw CommError(
        "this group was made in the process that this one was forked from; a worker of a DataLoader has no part in it");
  }
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    throw CommError("another thread is in a collective of this group; a group is used by one thread at a time");
  }
  if (comm_ == nullptr) throw CommError("this group was closed by negatron.finalize() or by the end of the program");
  return {*comm_, std::move(lock)};
}

bool Group::in_use() {
  if (getpid() != process_) return false;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  return !lock.owns_lock();
}

void Group::close() {
  if (getpid() != process_) return;
  const std::lock_guard lock(mutex_);
  comm_.reset();
}

std::shared_ptr<Group> mpi_group(const CommunicatorOptions& options) {
  if (getpid() != job().process) {
    throw CommError("MPI began in the process that this one was forked from; negatron.alone() is for this one");
  }
  if (job().mpi_ended) throw CommError("MPI has ended in this process and cannot begin again");
  if (job().environment == nullptr) job().environment = std::make_unique<Environment>(nullptr, nullptr);
  return remembered(make_mpi_communicator(*job().environment, options));
}

std::shared_ptr<Group> torch_group(const std::string& group_name, const CommunicatorOptions& options) {
  return remembered(make_process_group_communicator(group_name, options));
}

std::shared_ptr<Group> nccl_group(Group& over, int device, const CommunicatorOptions& options) {
  const Group::Use use = over.use();
  return remembered(make_nccl_communicator(use.comm(), device, options));
}

std::shared_ptr<Group> lone_group(const CommunicatorOptions& options) {
  return remembered(make_lone_communicator(options));
}

void close_groups(int exit_code) {
  if (getpid() != job().process) return;
  Environment* environment = job().environment.get();
  if (const std::shared_ptr<Group> used = group_in_use()) {
    std::cerr << "negatron: rank " << used->rank()
              << ": the program ends while a thread of it is in a collective, which is given up\n";
    if (exit_code == 0) exit_code = kGivenUpExitCode;
  }
  // Without a word to the others: they wait for a rank that will not come.
  if (environment != nullptr && exit_code != 0 && environment->size() > 1) environment->abort(exit_code);
  for (const std::weak_ptr<Group>& known : job().groups) {
    if (const std::shared_ptr<Group> group = known.lock()) group->close();
  }
  job().groups.clear();
  job().waiting.clear();
  if (environment == nullptr) return;
  environment->finish();
  job().environment.reset();
  job().mpi_ended = true;
}

void close_groups_at_exit() {
  if (getpid() != job().process) return;
  const bool others_wait = job().environment != nullptr && job().environment->size() > 1;
  if (!others_wait || group_in_use() != nullptr) return close_groups(0);
  // The interpreter lets go of its objects before the process has its exit code, and a group that is let go of tells
  // the others, which need not listen.
  for (const std::weak_ptr<Group>& known : job().groups) {
    if (std::shared_ptr<Group> group = known.lock()) job().waiting.push_back(std::move(group));
  }
  // What POSIX has in its place is not told the code.
  if (on_exit([](int exit_code, void*) { close_groups(exit_code); }, nullptr) != 0) close_groups(0);
}

}  // namespace negatron::python
