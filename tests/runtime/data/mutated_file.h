#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <sys/resource.h>

namespace negatron::testing {

/// What the memory of a process may grow by while it reads damaged files; a sanitizer keeps 256 MiB of what was freed.
inline constexpr long kMostGrowthKibibytes = 384 * 1024;

/// Flipped bits, a cut, or numbers that are lies: what transfers, disks and attackers make of a file.
inline std::vector<std::uint8_t> mutated(std::vector<std::uint8_t> file, std::mt19937& random) {
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
  const std::size_t edits = 1 + below(4);
  // Heads are a small part of a file and most of what can go wrong.
  const std::size_t reach = below(2) == 0 ? file.size() : std::min<std::size_t>(file.size(), 200);
  for (std::size_t edit = 0; edit < edits; ++edit) {
    const std::size_t place = below(reach);
    switch (below(4)) {
      case 0:
        file[place] = static_cast<std::uint8_t>(file[place] ^ 1U << below(8));
        break;
      case 1:
        file[place] = static_cast<std::uint8_t>(random());
        break;
      case 2:
        for (std::size_t i = place; i < std::min(place + 1 + below(4), file.size()); ++i) {
          file[i] = below(2) == 0 ? 0xff : 0x00;
        }
        break;
      default:
        if (below(4) == 0) file.resize(1 + below(file.size()));
        if (file.size() < reach) return file;
    }
  }
  return file;
}

/// The most memory that this process has had.
inline long peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace negatron::testing
