#pragma once

#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// How snapshots and messages name a type: "fp32". Throws SnapshotError for a dtype that snapshots do not hold.
std::string dtype_text(at::ScalarType dtype);
/// Throws SnapshotError for a name that dtype_text does not give.
at::ScalarType dtype_of_text(const std::string& text);

}  // namespace negatron
