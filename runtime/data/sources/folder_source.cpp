#include "runtime/data/sources/folder_source.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/folder_listing.h"

namespace negatron {
namespace {

constexpr const char* kTrainFolder = "train";
/// The first of these that is there is the test part.
constexpr const char* kTestFolders[] = {"val", "validation", "test"};

/// The folders of the two parts.
struct FolderParts {
  std::filesystem::path train;
  /// Empty where there is none.
  std::filesystem::path test;
};

FolderParts parts_of(const std::filesystem::path& folder) {
  const std::vector<std::string> names = folders_in(folder);
  const auto is_there = [&](const char* name) { return std::binary_search(names.begin(), names.end(), name); };
  // `train` alone may be a class of vehicles, but hardly the only one.
  if (!is_there(kTrainFolder)) return {folder, {}};
  for (const char* name : kTestFolders) {
    if (is_there(name)) return {folder / kTrainFolder, folder / name};
  }
  return {names.size() == 1 ? folder / kTrainFolder : folder, {}};
}

std::string_view first_folder(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// Names of the folders with images; none where an image lies beside them.
std::vector<std::string> class_names(const PathList& paths) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < paths.size(); ++i) {
    const std::string_view folder = first_folder(paths[i]);
    if (folder.empty()) return {};
    // The paths of a folder stand together, and folders in the order of their names.
    if (names.empty() || names.back() != folder) names.emplace_back(folder);
  }
  return names;
}

/// [n] int64. Throws for a folder that is not among the classes.
at::Tensor labels_by(const std::vector<std::string>& classes, const PathList& paths,
                     const std::filesystem::path& folder) {
  at::Tensor labels = at::empty({paths.size()}, at::kLong);
  auto* values = labels.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < paths.size(); ++i) {
    const std::string_view name = first_folder(paths[i]);
    const auto found = std::lower_bound(classes.begin(), classes.end(), name);
    if (found == classes.end() || *found != name) {
      throw DataError("Data folder '" + (folder / name).string() + "' is a class that the training images have not.");
    }
    values[i] = found - classes.begin();
  }
  return labels;
}

ImageLabels training_labels(const PathList& paths, const std::filesystem::path& folder) {
  std::vector<std::string> classes = class_names(paths);
  if (classes.size() < 2) return {};
  at::Tensor labels = labels_by(classes, paths, folder);
  return {std::move(labels), std::move(classes)};
}

std::shared_ptr<const EncodedFiles> files_of(const std::filesystem::path& folder, FolderListing listing) {
  std::string fingerprint =
      std::to_string(listing.paths.size()) + " image files whose names and sizes have the digest " + listing.digest;
  return std::make_shared<const PathFiles>(folder, std::move(listing.paths), std::move(fingerprint));
}

EncodedImages open_training(const SourceOptions& options) {
  const std::filesystem::path folder = parts_of(options.path).train;
  FolderListing listing = list_images(folder);
  ImageLabels labels = training_labels(listing.paths, folder);
  return {files_of(folder, std::move(listing)), std::move(labels), options};
}

}  // namespace

FolderSource::FolderSource(const SourceOptions& options) : EncodedImages(open_training(options)), options_(options) {}

SourceDescription FolderSource::describe() {
  return {"folder", "a folder of .jpg, .jpeg, .png or .webp files, or of one folder for each class"};
}

bool FolderSource::recognises(const std::filesystem::path& path) {
  return holds_images(path);
}

std::shared_ptr<const ImageSource> FolderSource::test_part() const {
  const std::filesystem::path folder = parts_of(options_.path).test;
  if (folder.empty() || !holds_images(folder)) return nullptr;
  FolderListing listing = list_images(folder);
  ImageLabels labels;
  // Numbers are those of the training images, also where the test part lacks some.
  if (has_labels() && !class_names(listing.paths).empty()) {
    labels = {labels_by(label_names(), listing.paths, folder), label_names()};
  }
  SourceOptions same = options_;
  same.path = folder.string();
  same.channels = channels();
  return std::make_shared<const EncodedImages>(files_of(folder, std::move(listing)), std::move(labels), same);
}

}  // namespace negatron
