#pragma once

#include <string>
#include <vector>

namespace negatron {

/// The name of `names` (not empty) with the smallest edit distance to `typed`; the earlier one of equals.
std::string nearest_name(const std::string& typed, const std::vector<std::string>& names);

}  // namespace negatron
