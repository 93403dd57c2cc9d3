#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include "comm/communicator.h"
#include "comm/communicator_options.h"

namespace negatron::python {

/// The ranks that share banks and losses, as a Python program holds them. What it makes is closed at the program's end,
/// and says so when it is used afterwards, in a process that was forked, or by two threads at once.
class Group {
 public:
  explicit Group(std::unique_ptr<Communicator> comm);

  /// The right to communicate, for as long as it lives.
  class Use {
   public:
    Use(Communicator& comm, std::unique_lock<std::mutex> lock) : comm_(comm), lock_(std::move(lock)) {}
    Communicator& comm() const noexcept { return comm_; }

   private:
    Communicator& comm_;
    std::unique_lock<std::mutex> lock_;
  };
  /// Throws CommError where the group cannot be used now. Local.
  Use use();

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  const std::string& transport() const noexcept { return transport_; }
  /// Whether another thread is in a collective of it now. Local.
  bool in_use();
  /// Frees what MPI or torch keep for it. Local where the group is broken or closed, else collective.
  void close();

 private:
  std::unique_ptr<Communicator> comm_;
  std::mutex mutex_;
  pid_t process_;
  int rank_;
  int size_;
  std::string transport_;
};

/// All ranks that mpirun or srun started. Begins MPI when first called. Collective. Throws CommError.
std::shared_ptr<Group> mpi_group(const CommunicatorOptions& options);
/// The ranks of a process group of torch.distributed (process_group_communicator.h). Collective. Throws CommError.
std::shared_ptr<Group> torch_group(const std::string& group_name, const CommunicatorOptions& options);
/// The same ranks, whose tensors of that GPU travel by NCCL (nccl_communicator.h), those of the host as before.
/// Collective. Throws CommError.
std::shared_ptr<Group> nccl_group(Group& over, int device, const CommunicatorOptions& options);
/// This process alone. Local.
std::shared_ptr<Group> lone_group(const CommunicatorOptions& options);

/// Closes all groups, and ends MPI where it was begun: in order where the exit code is 0, else at once and with it the
/// other ranks, which would wait for this one; the job then ends with that code. A program that ends while another
/// thread is in a collective has not succeeded, and says so. Does nothing in a process that was forked.
void close_groups(int exit_code);

/// The same with the code that this process is going to have, when it has one: whether a program failed is not known
/// while its interpreter ends (sys.exit). At once where nobody would wait for this process. Once, from the
/// interpreter's last hook. Local, or collective when the process exits.
void close_groups_at_exit();

}  // namespace negatron::python
