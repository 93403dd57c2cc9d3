#include "comm/traffic.h"

namespace negatron {

std::int64_t staged_bytes(const std::map<std::string, Traffic>& traffic) {
  std::int64_t bytes = 0;
  for (const auto& [operation, part] : traffic) bytes += part.bytes_staged;
  return bytes;
}

void TrafficCounter::record(const char* operation, std::int64_t bytes_sent, std::int64_t bytes_received) {
  // Two sums of the same calls: one of the whole run, and one that start_step() sets back.
  for (auto* counts : {&total_, &step_}) {
    Traffic& traffic = (*counts)[operation];
    traffic.calls += 1;
    traffic.bytes_sent += bytes_sent;
    traffic.bytes_received += bytes_received;
  }
}

void TrafficCounter::record_staged(const char* operation, std::int64_t bytes) {
  for (auto* counts : {&total_, &step_}) (*counts)[operation].bytes_staged += bytes;
}

}  // namespace negatron
