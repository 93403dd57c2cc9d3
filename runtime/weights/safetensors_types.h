#pragma once

#include <array>
#include <utility>

#include <ATen/ATen.h>

namespace negatron {

/// What safetensors files call the types of their values.
inline constexpr std::array<std::pair<const char*, at::ScalarType>, 10> kSafetensorsTypes = {{{"F64", at::kDouble},
                                                                                              {"F32", at::kFloat},
                                                                                              {"F16", at::kHalf},
                                                                                              {"BF16", at::kBFloat16},
                                                                                              {"I64", at::kLong},
                                                                                              {"I32", at::kInt},
                                                                                              {"I16", at::kShort},
                                                                                              {"I8", at::kChar},
                                                                                              {"U8", at::kByte},
                                                                                              {"BOOL", at::kBool}}};

}  // namespace negatron
