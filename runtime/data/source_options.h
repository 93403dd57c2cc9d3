#pragma once

#include <cstdint>
#include <string>

namespace negatron {

/// Where Debian's package dataset-fashion-mnist puts the built-in example.
inline constexpr const char* kDefaultDataDirectory = "/usr/share/datasets/fashion-mnist";

/// The kind of data that is told by what is there.
inline constexpr const char* kAnyKind = "auto";

/// Which images are wanted, and how.
struct SourceOptions {
  /// A file, a folder, or a pattern of file names.
  std::string path = kDefaultDataDirectory;
  /// The name of a kind of data in registry.cpp, or kAnyKind.
  std::string kind = kAnyKind;
  /// 1 or 3; 0 for what the images have.
  std::int64_t channels = 0;
  /// Views are squares of so many pixels a side; 0 for the source's choice.
  std::int64_t view_side = 0;
  /// An encoded image of more is not decoded: some kilobytes can claim any size.
  std::int64_t most_pixels = 100'000'000;
};

}  // namespace negatron
