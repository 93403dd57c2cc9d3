#include "runtime/snapshots/files/new_path.h"

#include <cerrno>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/process_identity.h"

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

/// Where the pids of the names below are meant: a short word for this kernel and namespace.
std::string pid_place(const ProcessIdentity& process) {
  constexpr std::size_t kLetters = 8;
  return digest_of(process.boot + process.pid_namespace).substr(0, kLetters);
}

/// Not a name that a run which owns this directory would remove as its own. It says whose it is, so that the next
/// command can tell what a dead one left from what a living one is writing.
constexpr const char* kPartialMark = ".partial-";

std::string partial_name(const fs::path& out) {
  std::random_device random;
  const ProcessIdentity process = this_process();
  return out.filename().string() + kPartialMark + pid_place(process) + "-" + std::to_string(process.pid) + "-" +
         std::to_string(process.began) + "-" + std::to_string(random());
}

/// Whether a name that partial_name() made is of a process that has ended, as far as this one can know.
bool is_left_behind(const std::string& name, const fs::path& out) {
  const std::string beginning = out.filename().string() + kPartialMark + pid_place(this_process()) + "-";
  if (!name.starts_with(beginning)) return false;
  long long pid = 0, began = 0;
  if (std::sscanf(name.c_str() + beginning.size(), "%lld-%lld-", &pid, &began) != 2) return false;
  ProcessIdentity writer;
  writer.pid = pid;
  writer.began = began;
  return has_ended(writer);
}

void remove_left_behind(FileLayer& files, const fs::path& out) {
  try {
    for (const std::string& name : files.list(parent_of(out))) {
      if (is_left_behind(name, out)) remove_flat_directory(files, parent_of(out) / name);
    }
  } catch (const SnapshotError&) {
    // It takes room and harms nobody; what is to be written may come through all the same.
  }
}

void rename_or_refuse(FileLayer& files, const fs::path& partial, const fs::path& out) {
  try {
    files.rename_to_new(partial, out);
  } catch (const FileError& error) {
    if (error.error_number() != EEXIST) throw;
    throw SnapshotError("'" + out.string() + "' was made by someone else meanwhile.");
  }
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
  remove_left_behind(files, out);
  const fs::path partial = parent_of(out) / partial_name(out);
  fs::path written = partial;
  try {
    write(partial);
    // rename would silently take the place of a file of that name. Writing can take long, so it may have come since.
    if (existing == Existing::kReplaced) {
      files.rename(partial, out);
    } else {
      rename_or_refuse(files, partial, out);
    }
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
