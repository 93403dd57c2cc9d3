#pragma once

#include <filesystem>

#include "runtime/data/registry.h"
#include "runtime/data/sources/encoded_images.h"

namespace negatron {

/// A text file with the path of an image on each line, relative to the folder of the text or absolute, and behind it,
/// if there are labels, a tab or a space and a whole number from 0. Empty lines are passed over.
class ListSource : public EncodedImages {
 public:
  /// Throws DataError naming the line.
  explicit ListSource(const SourceOptions& options);

  static SourceDescription describe();
  /// True for a file that begins with text.
  static bool recognises(const std::filesystem::path& path);
};

}  // namespace negatron
