#pragma once

#include <cstdint>
#include <vector>

#include "samplers/pass/pass.h"

namespace negatron {

/// What one record of `pack_partials` holds.
struct PartialFormat {
  /// Only what each term yields matters.
  std::vector<ScoreTerm> terms;
  std::int64_t width = 0;
  /// Numbers that travel along.
  std::int64_t further = 0;
  at::ScalarType dtype = at::kFloat;

  /// How many elements a count of 8 bytes takes.
  std::int64_t count_elements() const { return 8 / static_cast<std::int64_t>(at::elementSize(dtype)); }
  /// Per term: d with a gradient, 1 for the value, 1 with a slope, 1 for a softmax mean. Then 1 for the maximum, those
  /// of the count, and further.
  std::int64_t elements() const;
};

struct PartialRecords {
  PassResult result;
  at::Tensor further;  // [Q, further]; undefined when the format has none
};

/// One row per query, all of it in one tensor so that one message carries it: [Q, elements()]; the count as its 8
/// bytes, bit for bit. Local.
at::Tensor pack_partials(const PartialRecords& partials, const PartialFormat& format);

/// The inverse. Local.
PartialRecords unpack_partials(const at::Tensor& records, const PartialFormat& format);

}  // namespace negatron
