#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What a file holds under a name.
struct NamedShape {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape{};

  bool is_matrix() const { return shape.size() == 2 && at::isFloatingType(dtype); }
};

/// The name of the one that is meant: `wanted`, or where it is empty the only matrix of floating numbers, or the only
/// one of all. `flag` is what messages call the way to name it, "--key". Local. Throws SnapshotError with the file and
/// the names that it has, for a name that it has not, and where several could be meant.
std::string choose_matrix(const std::filesystem::path& path, const std::vector<NamedShape>& held,
                          const std::string& wanted, const std::string& flag);

}  // namespace negatron
