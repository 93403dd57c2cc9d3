#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// A name, behind `prefix`, that nobody else writes and no earlier start has left. Local.
std::string unique_name(const std::string& prefix);

/// Whether a file that another host wrote is seen here within `patience`: a shared file system may hide it for a while.
/// Local.
bool comes_to_be_seen(const FileLayer& files, const std::filesystem::path& path, std::chrono::milliseconds patience);

}  // namespace negatron
