#pragma once

#include <cstdint>
#include <deque>

#include <ATen/ATen.h>

namespace negatron::testing {

/// The bank as one first-in-first-out queue on one device: what the sharded bank must be equal to.
class PlainQueue {
 public:
  struct Entry {
    /// Number of the key in the stream, from 0; the slot is this modulo the capacity.
    std::int64_t sequence = 0;
    std::int64_t id = -1;
    std::int64_t label = -1;
    std::int64_t step = -1;
    at::Tensor vector;  // [d]
  };

  explicit PlainQueue(std::int64_t capacity) : capacity_(capacity) {}

  /// vectors [n, d], ids [n], labels [n]
  void enqueue(const at::Tensor& vectors, const at::Tensor& ids, const at::Tensor& labels, std::int64_t step);
  const std::deque<Entry>& entries() const { return entries_; }
  std::int64_t slot_of(const Entry& entry) const { return entry.sequence % capacity_; }
  at::Tensor vectors() const;  // [size, d], oldest first

 private:
  std::int64_t capacity_;
  std::int64_t next_sequence_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace negatron::testing
