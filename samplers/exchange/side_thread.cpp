#include "samplers/exchange/side_thread.h"

#include <memory>
#include <utility>

#include "samplers/cpu/task_threads.h"

namespace negatron {

SideThread::SideThread(int threads)
    : pool_(/*pool_size=*/1, /*numa_node_id=*/-1, [threads] { use_threads(threads); }) {}

std::future<PassResult> SideThread::start(std::function<PassResult()> work) {
  // Shared, because the pool copies what it runs.
  const auto task = std::make_shared<std::packaged_task<PassResult()>>(std::move(work));
  pool_.run([task] { (*task)(); });
  return task->get_future();
}

}  // namespace negatron
