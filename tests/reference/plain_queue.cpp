#include "tests/reference/plain_queue.h"

#include <vector>

namespace negatron::testing {

void PlainQueue::enqueue(const at::Tensor& vectors, const at::Tensor& ids, const at::Tensor& labels,
                         std::int64_t step) {
  for (std::int64_t i = 0; i < vectors.size(0); ++i) {
    entries_.push_back(
        {next_sequence_++, ids[i].item<std::int64_t>(), labels[i].item<std::int64_t>(), step, vectors[i].clone()});
    if (static_cast<std::int64_t>(entries_.size()) > capacity_) entries_.pop_front();
  }
}

at::Tensor PlainQueue::vectors() const {
  std::vector<at::Tensor> rows;
  for (const Entry& entry : entries_) rows.push_back(entry.vector);
  return at::stack(rows);
}

}  // namespace negatron::testing
