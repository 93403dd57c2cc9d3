#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/data/sources/path_list.h"

namespace negatron {

/// True for .jpg, .jpeg, .png and .webp, in letters of any case. Local.
bool is_image_name(std::string_view name);

/// The image files of a folder and of the folders in it.
struct FolderListing {
  /// Relative to the folder; folder by folder, names in the order of their bytes.
  PathList paths;
  /// Of names and sizes.
  std::string digest;
};

/// Looks for images by their names. Hidden files and folders are left out. Links are followed; a folder that several
/// links lead to counts once, at the first of its names, so that no ring of links is endless. Local. Throws DataError
/// for a folder that cannot be read.
FolderListing list_images(const std::filesystem::path& folder);

/// Whether list_images() would find any: stops at the first. Local.
bool holds_images(const std::filesystem::path& folder);

/// Names of the folders in `folder`, links among them, not the hidden ones, in the order of their bytes. Local. Throws
/// DataError.
std::vector<std::string> folders_in(const std::filesystem::path& folder);

}  // namespace negatron
