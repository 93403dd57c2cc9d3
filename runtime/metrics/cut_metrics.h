#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace negatron {

/// Makes metrics.jsonl what it was when `steps_done` steps were done, for a run that goes on from there: drops the
/// lines of later steps and of evaluations at or after that point, which are made again, and half lines. Snapshots,
/// starts and resumes up to that point stay on record. Lines of older versions, which are nested, become flat. The new
/// file takes the place of the old one in one rename, or where there is no room for both, the old one is shortened; a
/// link stays one. Without a file nothing happens. Returns a sentence when the file could not be cut, for the run does
/// not end for that; else nothing. Local; rank 0 does it.
std::string cut_metrics(const std::filesystem::path& path, std::int64_t steps_done);

}  // namespace negatron
