#include "launch/flags/float_type.h"

#include "launch/exit_code.h"
#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {

std::optional<at::ScalarType> read_float_type(const std::string& flag, const std::string& text) {
  if (text.empty()) return std::nullopt;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
    if (dtype_text(dtype) == text) return dtype;
  }
  throw UsageError("--" + flag + " takes fp32, bf16, fp16 or fp64, not '" + text + "'.");
}

}  // namespace negatron
