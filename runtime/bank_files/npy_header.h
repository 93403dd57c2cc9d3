#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What the dictionary at the start of a .npy file says.
struct NpyHeader {
  at::ScalarType dtype = at::kFloat;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Parses {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and nothing else: no other key, none twice, no
/// expression. Throws SnapshotError, a reason without the file's name: for text that is not such a dictionary, pickled
/// objects, structured, integer or big-endian types, and numbers that do not fit 63 bits.
NpyHeader parse_npy_header(std::string_view text);

}  // namespace negatron
