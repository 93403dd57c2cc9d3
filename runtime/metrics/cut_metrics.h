#pragma once

#include <cstdint>
#include <filesystem>

namespace negatron {

/// Makes metrics.jsonl what it was when `steps_done` steps were done, for a run that goes on from there: drops the
/// lines of later steps and of evaluations at or after that point, which are made again, and half lines. Snapshots and
/// resumes up to that point stay on record. Lines of older versions, which are nested, become flat. The new file
/// replaces the old one in one rename; without a file nothing happens. Local; rank 0 does it. Throws
/// std::runtime_error.
void cut_metrics(const std::filesystem::path& path, std::int64_t steps_done);

}  // namespace negatron
