#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/data/image_source.h"
#include "runtime/data/source_options.h"

namespace negatron {

/// How a kind of data is known.
struct SourceDescription {
  /// What --data-kind calls it.
  std::string name;
  /// What a path of this kind names: "a folder of ...".
  std::string looks_like;
};

/// One kind of data: how to tell it, and how to open it.
struct ImageSourceEntry {
  SourceDescription description;
  /// True when the path is of this kind, which nobody else's files look like. Reads no more than names and headers.
  bool (*recognises)(const std::filesystem::path& path);
  /// Opens the training images. Throws DataError.
  std::shared_ptr<const ImageSource> (*open)(const SourceOptions& options);
  /// Leaves beside the data what opening them would make anew, where there is such a thing; may be null.
  void (*prepare)(const SourceOptions& options) = nullptr;
};

/// Of a class with a static describe(), a static recognises(path), and a constructor that takes the options; perhaps a
/// static prepare(options). It need not look at `channels` and `view_side`: what it gives is converted where it
/// differs.
template <typename Source>
ImageSourceEntry image_source_entry() {
  ImageSourceEntry entry{Source::describe(), &Source::recognises,
                         [](const SourceOptions& options) -> std::shared_ptr<const ImageSource> {
                           return std::make_shared<const Source>(options);
                         }};
  if constexpr (requires(const SourceOptions& options) { Source::prepare(options); }) entry.prepare = &Source::prepare;
  return entry;
}

/// Opens the training images, by the kind of data that is asked for or the first one that recognises the path. Local.
/// Throws DataError; where there is no such kind, it lists all of them.
std::shared_ptr<const ImageSource> open_images(const SourceOptions& options);

/// What one process does for those that open the images behind it: an index that lies beside them is made once and not
/// by all at the same time. Whatever is wrong, opening says. Local.
void prepare_images(const SourceOptions& options);

/// What --data-kind can be: auto, idx, ... Local.
std::vector<std::string> image_source_list();
/// The same between commas. Local.
std::string image_source_names();

/// A kind of data that is known, asked before the others, as long as this lives: how a test, or a program with sources
/// of its own, brings them in. The last one that was added goes first. Not at the same time as open_images(). Local.
class AddedImageSource {
 public:
  explicit AddedImageSource(const ImageSourceEntry& entry);
  ~AddedImageSource();
  AddedImageSource(const AddedImageSource&) = delete;
  AddedImageSource& operator=(const AddedImageSource&) = delete;
};

}  // namespace negatron
