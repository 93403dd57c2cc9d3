#include "tests/reference_cases/thread_ranks.h"

#include <ATen/Parallel.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"

namespace negatron::reference {

nlohmann::json on_ranks(int ranks, const std::function<nlohmann::json(Communicator&)>& body) {
  nlohmann::json values;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const nlohmann::json own = body(comm);
    if (comm.rank() == 0) values = own;
  });
  return values;
}

at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size()).contiguous();
}

at::Tensor gather(Communicator& comm, const at::Tensor& own, std::int64_t total) {
  return comm.all_gather(own.contiguous(), share_sizes(total, comm.size()));
}

Bank bank_of(const Communicator& comm, const at::Tensor& rows) {
  const std::int64_t count = rows.size(0);
  Bank bank({count, rows.size(1), at::kDouble, at::kCPU, BankFill::kEmpty, 0, count}, comm.rank(), comm.size());
  bank.enqueue(own_part(comm, rows), own_part(comm, at::full({count}, -1, at::kLong)), at::Tensor(), 0, count);
  return bank;
}

}  // namespace negatron::reference
