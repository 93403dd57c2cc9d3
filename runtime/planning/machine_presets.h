#pragma once

#include <string>
#include <vector>

#include "runtime/planning/machine.h"

namespace negatron {

/// A kind of GPU cluster as published measurements show it.
struct MachinePreset {
  std::string name;
  /// One line: what it is.
  std::string description;
  Machine machine;
};

/// One rank a GPU, eight GPUs a node. Where each constant comes from stands beside it.
const std::vector<MachinePreset>& machine_presets();

/// Throws std::invalid_argument with one sentence, and offers the nearest name, when there is none of this name.
const MachinePreset& machine_preset(const std::string& name);

}  // namespace negatron
