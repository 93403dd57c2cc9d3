#pragma once

#include <cstdint>
#include <filesystem>

#include "runtime/data/image_source.h"
#include "runtime/run/run_log.h"

namespace negatron {

/// Logs what the bank of a run's newest snapshot finds hardest to tell apart, as a sheet [3, H, W] uint8
/// (reports/near_sheet.h), for who looks at the run; nothing where there is nothing to show. What goes wrong here is
/// told, and no more: all that counts is saved. Reads within 256 MiB. Local.
void log_hardest(const std::filesystem::path& run_directory, const ImageSource& train, std::int64_t steps_done,
                 RunLog& log);

}  // namespace negatron
