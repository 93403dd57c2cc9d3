#include "samplers/random/philox.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace negatron {
namespace {

constexpr int kRounds = 10;
constexpr std::array<std::uint32_t, 2> kMultiplier = {0xD2511F53u, 0xCD9E8D57u};
constexpr std::array<std::uint32_t, 2> kKeyStep = {0x9E3779B9u, 0xBB67AE85u};
constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;

std::uint32_t low_half(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high_half(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{kMultiplier[0]} * counter[0];
    const std::uint64_t second = std::uint64_t{kMultiplier[1]} * counter[2];
    counter = {high_half(second) ^ counter[1] ^ key[0], low_half(second), high_half(first) ^ counter[3] ^ key[1],
               low_half(first)};
    key = {key[0] + kKeyStep[0], key[1] + kKeyStep[1]};
  }
  return counter;
}

std::array<std::uint32_t, 2> stream_key(std::uint64_t seed, Purpose purpose) {
  const std::uint64_t key = seed ^ (static_cast<std::uint64_t>(purpose) * kGoldenRatio);
  return {low_half(key), high_half(key)};
}

CounterRng::CounterRng(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index)
    : counter_{0, low_half(index), high_half(index), low_half(step)},
      key_(stream_key(seed, purpose)),
      used_(block_.size()) {
  if (high_half(step) != 0) throw std::invalid_argument("CounterRng: step must be below 2^32");
}

std::uint32_t CounterRng::next_u32() {
  if (used_ == block_.size()) {
    block_ = philox4x32_10(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t CounterRng::next_u64() {
  const std::uint64_t high = next_u32();
  return (high << 32) | next_u32();
}

double CounterRng::uniform() {
  constexpr int kUnusedBits = 64 - std::numeric_limits<double>::digits;
  return static_cast<double>(next_u64() >> kUnusedBits) * 0x1.0p-53;
}

double CounterRng::normal() {
  if (has_spare_normal_) {
    has_spare_normal_ = false;
    return spare_normal_;
  }
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_normal_ = true;
  return radius * std::cos(angle);
}

std::uint64_t CounterRng::below(std::uint64_t n) {
  if (n == 0) throw std::invalid_argument("CounterRng::below: n must be at least 1");
  // 2^64 mod n of the 2^64 values would favour small remainders; they are drawn again.
  const std::uint64_t excess = (std::numeric_limits<std::uint64_t>::max() % n + 1) % n;
  const std::uint64_t last = std::numeric_limits<std::uint64_t>::max() - excess;
  std::uint64_t value = next_u64();
  while (value > last) value = next_u64();
  return value % n;
}

}  // namespace negatron
