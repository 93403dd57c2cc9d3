#include "runtime/data/registry.h"

#include <system_error>
#include <utility>
#include <vector>

#include "runtime/data/converted_source.h"
#include "runtime/data/data_error.h"
#include "runtime/data/sources/cifar_source.h"
#include "runtime/data/sources/feature_source.h"
#include "runtime/data/sources/folder_source.h"
#include "runtime/data/sources/hdf5_source.h"
#include "runtime/data/sources/idx_source.h"
#include "runtime/data/sources/list_source.h"
#include "runtime/data/sources/tar_source.h"

namespace negatron {
namespace {

/// One line a kind of data, in the order in which they are asked. Any HDF5 file that does not hold features is "hdf5",
/// any folder with images somewhere is a "folder", and any text is a "list": these are asked last.
std::vector<ImageSourceEntry>& image_sources() {
  static std::vector<ImageSourceEntry> all = {
      image_source_entry<IdxSource>(),     image_source_entry<CifarSource>(), image_source_entry<TarSource>(),
      image_source_entry<FeatureSource>(), image_source_entry<Hdf5Source>(),  image_source_entry<ListSource>(),
      image_source_entry<FolderSource>(),
  };
  return all;
}

/// "idx (a folder of ...); cifar (...)"
std::string kinds_and_looks() {
  std::string text;
  for (const ImageSourceEntry& source : image_sources()) {
    const SourceDescription& known = source.description;
    text += (text.empty() ? "" : "; ") + known.name + " (" + known.looks_like + ")";
  }
  return text;
}

[[noreturn]] void refuse_path(const std::string& path) {
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  std::string sentence = "Data '" + path + "' " + (exists ? "are of no kind that is known" : "do not exist");
  if (path == kDefaultDataDirectory) sentence += "; install the Debian package dataset-fashion-mnist";
  throw DataError(sentence + "; --data names one of these: " + kinds_and_looks() + ".");
}

const ImageSourceEntry& entry_of(const SourceOptions& options) {
  for (const ImageSourceEntry& source : image_sources()) {
    const bool is_it =
        options.kind == kAnyKind ? source.recognises(options.path) : source.description.name == options.kind;
    if (is_it) return source;
  }
  if (options.kind == kAnyKind) refuse_path(options.path);
  throw DataError("--data-kind is '" + options.kind + "', expected " + kAnyKind +
                  " or one of these: " + kinds_and_looks() + ".");
}

}  // namespace

std::shared_ptr<const ImageSource> open_images(const SourceOptions& options) {
  return ConvertedSource::where_needed(entry_of(options).open(options), options);
}

void prepare_images(const SourceOptions& options) {
  try {
    const ImageSourceEntry& entry = entry_of(options);
    if (entry.prepare != nullptr) entry.prepare(options);
  } catch (const DataError&) {
    // Every process that opens them meets it, and all of them agree on what they say.
  }
}

std::vector<std::string> image_source_list() {
  std::vector<std::string> names = {kAnyKind};
  for (const ImageSourceEntry& source : image_sources()) names.push_back(source.description.name);
  return names;
}

std::string image_source_names() {
  std::string text;
  for (const std::string& name : image_source_list()) text += (text.empty() ? "" : ", ") + name;
  return text;
}

AddedImageSource::AddedImageSource(const ImageSourceEntry& entry) {
  image_sources().insert(image_sources().begin(), entry);
}

AddedImageSource::~AddedImageSource() {
  image_sources().erase(image_sources().begin());
}

}  // namespace negatron
