#pragma once

#include <array>
#include <utility>

#include <ATen/ATen.h>

namespace negatron {

/// Python's classes of the values of tensors, in the module torch, by their types.
inline constexpr std::array<std::pair<const char*, at::ScalarType>, 10> kTorchStorages = {
    {{"DoubleStorage", at::kDouble},
     {"FloatStorage", at::kFloat},
     {"HalfStorage", at::kHalf},
     {"BFloat16Storage", at::kBFloat16},
     {"LongStorage", at::kLong},
     {"IntStorage", at::kInt},
     {"ShortStorage", at::kShort},
     {"CharStorage", at::kChar},
     {"ByteStorage", at::kByte},
     {"BoolStorage", at::kBool}}};

}  // namespace negatron
