#include "launch/python/python_group.h"

#include <unistd.h>

#include <iostream>
#include <utility>
#include <vector>

#include "comm/error.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/process_group/process_group_communicator.h"
#include "comm/threads/lone_communicator.h"

namespace negatron::python {
namespace {

/// What outlives every group. Never destroyed by itself: a process that was forked must not end the MPI of its parent.
struct Job {
  pid_t process = getpid();
  std::unique_ptr<Environment> environment;
  bool mpi_ended = false;
  std::vector<std::weak_ptr<Group>> groups;
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

std::shared_ptr<Group> lone_group(const CommunicatorOptions& options) {
  return remembered(make_lone_communicator(options));
}

void close_groups(bool succeeded) {
  if (getpid() != job().process) return;
  Environment* environment = job().environment.get();
  for (const std::weak_ptr<Group>& known : job().groups) {
    const std::shared_ptr<Group> group = known.lock();
    if (group == nullptr || !group->in_use()) continue;
    std::cerr << "negatron: rank " << group->rank()
              << ": the program ends while a thread of it is in a collective, which is given up\n";
    succeeded = false;
  }
  // Without a word to the others: they wait for a rank that will not come.
  if (environment != nullptr && !succeeded && environment->size() > 1) job().environment.reset();
  for (const std::weak_ptr<Group>& known : job().groups) {
    if (const std::shared_ptr<Group> group = known.lock()) group->close();
  }
  job().groups.clear();
  if (environment == nullptr) return;
  environment->finish();
  job().environment.reset();
  job().mpi_ended = true;
}

}  // namespace negatron::python
