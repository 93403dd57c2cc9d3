#pragma once

namespace negatron {

enum class ReduceOp { kSum, kMin, kMax };

inline const char* name(ReduceOp op) noexcept {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMin:
      return "min";
    case ReduceOp::kMax:
      return "max";
  }
  return "unknown";
}

}  // namespace negatron
