#pragma once

#include <optional>
#include <string>
#include <vector>

namespace negatron {

/// The name of `names` with the smallest edit distance to `typed`; the earlier one of equals. Nothing where none is
/// near: where more than a third of what was typed would have to change (but one letter may), or all of it. Local.
std::optional<std::string> nearest_name(const std::string& typed, const std::vector<std::string>& names);

}  // namespace negatron
