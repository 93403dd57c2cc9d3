#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What the dictionary at the start of a .npy file says.
struct NpyHeader {
  at::ScalarType dtype = at::kFloat;
  /// Numbers lie with their high byte first.
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

enum class NpyNumbers {
  /// fp16, fp32, fp64
  kFloating,
  /// int8, uint8, int16, int32, int64
  kInteger
};

/// numpy has no bfloat16: what ml_dtypes adds is saved as raw bytes, 'V2', which do not say what they are.
enum class NpyVoid { kRefused, kBfloat16 };

/// Parses {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and nothing else: no other key, none twice, no
/// expression. Throws SnapshotError, a reason without the file's name: for text that is not such a dictionary, pickled
/// objects, structured types and those that `numbers` and `npy_void` do not name, and sizes that do not fit 63 bits.
NpyHeader parse_npy_header(std::string_view text, NpyNumbers numbers = NpyNumbers::kFloating,
                           NpyVoid npy_void = NpyVoid::kRefused);

}  // namespace negatron
