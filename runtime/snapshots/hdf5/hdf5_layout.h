#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Gives the next bytes of one dataset, from its first to its last: at least one and at most `at_most`, where they lie.
/// They stay there until the next call.
using ByteSource = std::function<std::span<const std::byte>(std::size_t at_most)>;

struct Hdf5Dataset {
  /// "rows", or "tensors/conv1.weight" in a group of the plan.
  std::string path;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  /// One text of shape[0] bytes in place of numbers; dtype is not looked at.
  bool text = false;
  ByteSource bytes;
};

struct Hdf5Attribute {
  /// "/" or a group or dataset of the plan.
  std::string object;
  std::string name;
  std::variant<std::int64_t, double, std::string> value;
};

/// An HDF5 file as it is to be. Datasets lie in the file, and are asked for their bytes, in this order.
struct Hdf5Layout {
  std::vector<std::string> groups;
  std::vector<Hdf5Dataset> datasets;
  std::vector<Hdf5Attribute> attributes;
};

}  // namespace negatron
