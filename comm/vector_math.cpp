#include "comm/vector_math.h"

#include <mutex>

#include <ATen/ATen.h>

namespace negatron {
namespace {

using Function = at::Tensor (*)(const at::Tensor&);

/// What ATen's vml.h gives to MKL.
constexpr Function kFunctions[] = {at::acos, at::asin,  at::atan, at::cos, at::erf,  at::erfc, at::erfinv, at::exp,
                                   at::log,  at::log10, at::log2, at::sin, at::sqrt, at::tan,  at::tanh,   at::trunc};

}  // namespace

void settle_vector_math() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
      const at::Tensor element = at::full({1}, 0.5, dtype);
      for (const Function function : kFunctions) function(element);
    }
  });
}

}  // namespace negatron
