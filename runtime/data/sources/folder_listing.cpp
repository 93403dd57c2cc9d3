#include "runtime/data/sources/folder_listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "runtime/data/data_error.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

constexpr std::array<std::string_view, 4> kImageEndings = {".jpg", ".jpeg", ".png", ".webp"};

/// Of all entries that are not hidden, in the order of their bytes, which no locale changes.
std::vector<std::string> sorted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(".")) names.push_back(std::move(name));
  }
  if (error) throw DataError("Data folder '" + folder.string() + "' cannot be read: " + error.message() + ".");
  std::sort(names.begin(), names.end());
  return names;
}

/// Goes through a folder and what is in it.
class FolderWalk {
 public:
  /// Takes a file by its path below the folder, and its size: -1 where it cannot be asked. Ends the walk with false.
  using Take = std::function<bool(const std::string& path, std::int64_t size)>;

  explicit FolderWalk(Take take) : take_(std::move(take)) {}

  /// False when it was ended.
  bool walk(const std::filesystem::path& folder, const std::string& prefix = "") {
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0 && !seen_.emplace(status.st_dev, status.st_ino).second) return true;
    for (const std::string& name : sorted_names(folder)) {
      const std::filesystem::path path = folder / name;
      const bool is_there = ::stat(path.c_str(), &status) == 0;
      if (is_there && S_ISDIR(status.st_mode)) {
        if (!walk(path, prefix + name + "/")) return false;
      } else if (is_image_name(name)) {
        // A link to nowhere is a broken image, which is told when its turn comes, and not one that never was.
        const bool is_file = is_there && S_ISREG(status.st_mode);
        if (!take_(prefix + name, is_file ? status.st_size : -1)) return false;
      }
    }
    return true;
  }

 private:
  Take take_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

bool is_image_name(std::string_view name) {
  return std::any_of(kImageEndings.begin(), kImageEndings.end(), [&](std::string_view ending) {
    if (name.size() <= ending.size()) return false;
    const std::string_view last = name.substr(name.size() - ending.size());
    return std::equal(last.begin(), last.end(), ending.begin(),
                      [](unsigned char a, char b) { return std::tolower(a) == b; });
  });
}

FolderListing list_images(const std::filesystem::path& folder) {
  FolderListing listing;
  DigestStream digest;
  FolderWalk walk([&](const std::string& path, std::int64_t size) {
    listing.paths.add(path);
    const std::string line = path + '\0' + std::to_string(size) + '\n';
    digest.update(std::as_bytes(std::span(line)));
    return true;
  });
  walk.walk(folder);
  listing.digest = digest.hex();
  return listing;
}

bool holds_images(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return false;
  return !FolderWalk([](const std::string&, std::int64_t) { return false; }).walk(folder);
}

std::vector<std::string> folders_in(const std::filesystem::path& folder) {
  std::vector<std::string> names = sorted_names(folder);
  std::erase_if(names, [&](const std::string& name) {
    std::error_code error;
    return !std::filesystem::is_directory(folder / name, error);
  });
  return names;
}

}  // namespace negatron
