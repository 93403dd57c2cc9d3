#include "runtime/data/registry.h"

#include <vector>

#include "runtime/data/idx_source.h"

namespace negatron {
namespace {

/// One line a kind of data, in the order in which they are asked.
std::vector<ImageSourceEntry>& image_sources() {
  static std::vector<ImageSourceEntry> all = {
      image_source_entry<IdxSource>(),
  };
  return all;
}

}  // namespace

std::shared_ptr<const ImageSource> open_images(const std::filesystem::path& path) {
  for (const ImageSourceEntry& source : image_sources()) {
    if (source.recognises(path)) return source.open(path);
  }
  return image_sources().front().open(path);
}

AddedImageSource::AddedImageSource(const ImageSourceEntry& entry) {
  image_sources().push_back(entry);
}

AddedImageSource::~AddedImageSource() {
  image_sources().pop_back();
}

}  // namespace negatron
