#include "runtime/snapshots/files/new_path.h"

#include <unistd.h>

#include <random>
#include <stdexcept>
#include <string>

namespace negatron {

namespace fs = std::filesystem;

namespace {

/// What a link names in the end; all else as it is.
fs::path behind_link(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path named = fs::canonical(path, error);
  return error ? path : named;
}

}  // namespace

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void check_new_path(const FileLayer& files, const fs::path& out) {
  // "OUT" for "OUT/".
  const fs::path path = out.has_filename() ? out : out.parent_path();
  if (path.empty()) throw std::invalid_argument("What is to be written has no name.");
  if (files.exists(path)) {
    throw std::invalid_argument("'" + path.string() + "' exists already, and nothing is ever overwritten.");
  }
  if (!files.exists(parent_of(path))) {
    throw std::invalid_argument("'" + path.string() + "' cannot be made: there is no directory '" +
                                parent_of(path).string() + "'.");
  }
}

void write_then_rename(FileLayer& files, const fs::path& named, const std::function<void(const fs::path&)>& write,
                       Existing existing) {
  const fs::path out = existing == Existing::kReplaced ? behind_link(named) : named;
  std::random_device random;
  // Not a name that a run which owns this directory would remove as its own.
  const fs::path partial = out.string() + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(random());
  fs::path written = partial;
  try {
    write(partial);
    // rename would silently take the place of a file of that name. Writing can take long, so it is looked for again.
    if (existing == Existing::kRefused && files.exists(out)) {
      throw SnapshotError("'" + out.string() + "' was made by someone else meanwhile.");
    }
    files.rename(partial, out);
    written = out;
    // Durable from here on. When the power goes before, the whole content is found under the one name or the other.
    files.sync_directory(parent_of(out));
  } catch (...) {
    // What is replaced is gone with the rename, and the new one is better than none.
    const bool stays = written == out && existing == Existing::kReplaced;
    try {
      if (!stays && files.exists(written)) remove_flat_directory(files, written);
    } catch (const SnapshotError&) {
      // What failed first is what matters; the name says what is left.
    }
    throw;
  }
}

}  // namespace negatron
