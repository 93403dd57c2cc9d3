#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch/flags/flag_table.h"
#include "runtime/data/normalization.h"
#include "runtime/run/exported_weights.h"

namespace negatron {

enum class WeightsFormat { kSafetensors, kTorch };

/// What `negatron export` was asked for.
struct ExportArguments {
  /// The run or snapshot, and the file that is to be.
  std::vector<std::string> paths;
  WeightsFormat format = WeightsFormat::kSafetensors;
  ExportedParts parts;
  bool force = false;
  bool json = false;
  /// Of snapshots that do not say it; nothing and 0 for what they say.
  std::optional<Normalization> normalization;
  std::int64_t image_size = 0;
};

/// The flags of `negatron export`, bound to the fields of `request`, which must outlive the table.
FlagTable export_flags(ExportArguments& request);

}  // namespace negatron
