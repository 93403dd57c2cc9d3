#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace negatron {

/// A GPU that this process sees.
struct Gpu {
  std::string name;
  /// Bytes.
  std::int64_t memory = 0;
  /// Whether its memory corrects errors.
  bool has_ecc = false;
  /// Others of this host that it reads the memory of without the host's help.
  int peers = 0;
};

/// All that this process sees, and why it sees none where the system says why. Makes no context on any of them. Local.
struct GpusHere {
  std::vector<Gpu> gpus;
  std::string problem;
};
GpusHere gpus_here();

/// "13.0", the newest CUDA that the driver serves; empty without one. Local.
std::string cuda_driver_version();

}  // namespace negatron
