#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace negatron {

/// Payload of one kind of collective on one rank.
struct Traffic {
  std::int64_t calls = 0;
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  /// Copied between host and device, both ways, because tensors did not lie where the transport reads and writes.
  std::int64_t bytes_staged = 0;
};

/// Over all operations.
std::int64_t staged_bytes(const std::map<std::string, Traffic>& traffic);

/// Counts what collectives move, by operation name ("all_gather", ...). Bytes are those that the operation needs on
/// one rank whatever the transport: own blocks to others and others' blocks to us, and for a reduction twice the
/// (P-1)/P share of its bytes (reduce-scatter, then all-gather). Local; not thread-safe.
class TrafficCounter {
 public:
  void record(const char* operation, std::int64_t bytes_sent, std::int64_t bytes_received);
  /// Adds to a call that is or will be recorded: what `record` counts is the same whether or not it is staged.
  void record_staged(const char* operation, std::int64_t bytes);

  /// Since construction.
  const std::map<std::string, Traffic>& total() const noexcept { return total_; }
  /// Since the last call of `start_step`.
  const std::map<std::string, Traffic>& step() const noexcept { return step_; }
  void start_step() { step_.clear(); }

 private:
  std::map<std::string, Traffic> total_;
  std::map<std::string, Traffic> step_;
};

}  // namespace negatron
