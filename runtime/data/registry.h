#pragma once

#include <filesystem>
#include <memory>

#include "runtime/data/image_source.h"

namespace negatron {

/// Where Debian's package dataset-fashion-mnist puts the built-in example.
inline constexpr const char* kDefaultDataDirectory = "/usr/share/datasets/fashion-mnist";

/// One kind of data: how to tell it, and how to open it.
struct ImageSourceEntry {
  /// True when the path is of this kind, which nobody else's files look like. Reads no more than names and headers.
  bool (*recognises)(const std::filesystem::path& path);
  /// Opens the training images. Throws DataError.
  std::shared_ptr<const ImageSource> (*open)(const std::filesystem::path& path);
};

/// Of a class with a static recognises(path) and a constructor that takes the path.
template <typename Source>
ImageSourceEntry image_source_entry() {
  return {&Source::recognises, [](const std::filesystem::path& path) -> std::shared_ptr<const ImageSource> {
            return std::make_shared<const Source>(path);
          }};
}

/// Opens the training images that `path` names, by the first kind of data that recognises it. Where none does, the
/// first kind says what it misses. Local. Throws DataError.
std::shared_ptr<const ImageSource> open_images(const std::filesystem::path& path);

/// A kind of data that is known, asked behind the others, as long as this lives: how a test, or a program with sources
/// of its own, brings them in. The last one that was added goes first. Not at the same time as open_images(). Local.
class AddedImageSource {
 public:
  explicit AddedImageSource(const ImageSourceEntry& entry);
  ~AddedImageSource();
  AddedImageSource(const AddedImageSource&) = delete;
  AddedImageSource& operator=(const AddedImageSource&) = delete;
};

}  // namespace negatron
