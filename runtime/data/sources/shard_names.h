#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace negatron {

/// What a pattern with braces stands for, in its order: "a-{000..002}.tar" is a-000.tar, a-001.tar and a-002.tar,
/// "{x,y}.tar" is x.tar and y.tar. Other braces stay. Local. Throws DataError for more than a million names.
std::vector<std::string> expand_braces(const std::string& pattern);

/// The tar archives that `path` names: itself, what its braces and its *, ? and [...] stand for, or those of a folder,
/// in the order of their bytes. Only braces name files that need not be there. Local. Throws DataError.
std::vector<std::filesystem::path> shard_paths(const std::filesystem::path& path);

}  // namespace negatron
