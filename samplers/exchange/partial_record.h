#pragma once

#include <cstdint>

#include "samplers/pass/pass.h"

namespace negatron {

/// What one record of `pack_partials` holds.
struct PartialFormat {
  std::int64_t scales = 1;
  std::int64_t width = 0;
  bool has_max = false;
  at::ScalarType dtype = at::kFloat;

  /// How many elements a count of 8 bytes takes.
  std::int64_t count_elements() const { return 8 / static_cast<std::int64_t>(at::elementSize(dtype)); }
  std::int64_t elements() const { return scales * (width + 1) + (has_max ? 1 : 0) + count_elements(); }
};

/// One row per query, all of it in one tensor so that one message carries it: [Q, elements()] of
/// O (S d), l (S), maximum (if any), count (its 8 bytes, bit for bit). Local.
at::Tensor pack_partials(const PassResult& result, const PartialFormat& format);

/// The inverse. Local.
PassResult unpack_partials(const at::Tensor& records, const PartialFormat& format);

}  // namespace negatron
