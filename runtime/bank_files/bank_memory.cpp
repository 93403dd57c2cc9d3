#include "runtime/bank_files/bank_memory.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

std::string mib(std::int64_t bytes) {
  return std::to_string((bytes + kMiB - 1) / kMiB);
}

}  // namespace

BankMemory::BankMemory(std::int64_t bytes) : bytes_(bytes), left_(bytes) {
  if (bytes < kLeastBytes) throw std::invalid_argument("--memory is too little for a single block.");
}

void BankMemory::reserve(std::int64_t bytes, const std::string& what) {
  // Example: of 256 MiB 40 are reserved, and 230 more are wanted. 40 + 230 and the quarter MiB of kLeastBytes are
  // 270.25, so the message asks for --memory 271.
  if (left_ - bytes < kLeastBytes) {
    throw std::invalid_argument("This needs --memory " + mib(bytes_ - left_ + bytes + kLeastBytes) + " (MiB) for " +
                                what + ", not " + mib(bytes_) + ".");
  }
  left_ -= bytes;
}

std::int64_t BankMemory::fitting(std::int64_t bytes) const noexcept {
  return std::max<std::int64_t>(1, left_ / bytes);
}

}  // namespace negatron
