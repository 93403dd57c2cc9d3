#include "runtime/snapshots/files/file_layer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace negatron {
namespace {

std::string describe(std::string_view operation, const std::filesystem::path& path, int error_number) {
  return "Could not " + std::string(operation) + " '" + path.string() + "': " + std::strerror(error_number) + ".";
}

}  // namespace

FileError::FileError(std::string_view operation, const std::filesystem::path& path, int error_number)
    : SnapshotError(describe(operation, path, error_number)), error_number_(error_number) {}

bool FileError::is_absent() const noexcept {
  // ESTALE: on NFS, a file that was there when its name was looked up and is gone now.
  return error_number_ == ENOENT || error_number_ == ESTALE;
}

bool FileError::tells_of_damage() const noexcept {
  // EUCLEAN and EBADMSG: file systems that check what they read. Not EIO and ELOOP: the disk is ill, or links lead
  // nowhere, and what they lead to may be whole.
  constexpr std::array kDamage{ENOTDIR, EISDIR, EUCLEAN, EBADMSG};
  return std::find(kDamage.begin(), kDamage.end(), error_number_) != kDamage.end();
}

void FileLayer::rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (exists(to)) throw FileError("rename to '" + to.string() + "'", from, EEXIST);
  rename(from, to);
}

std::string read_text(const FileLayer& files, const std::filesystem::path& path, std::int64_t most_bytes) {
  const std::unique_ptr<InputFile> file = files.open(path);
  if (file->size() > most_bytes) {
    throw SnapshotError("'" + path.string() + "' is larger than such a file can be (" + std::to_string(file->size()) +
                        " bytes).");
  }
  // No memory is taken before the size was found acceptable: the file may be anyone's.
  std::string text(static_cast<std::size_t>(file->size()), '\0');
  file->read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_text(FileLayer& files, const std::filesystem::path& path, std::string_view text) {
  const std::unique_ptr<OutputFile> file = files.create(path);
  file->append(std::as_bytes(std::span(text)));
  // The content is durable when this returns; the name waits for the fsync of its directory, which is the caller's.
  file->sync();
  file->close();
}

void make_directories(FileLayer& files, const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  if (!parent.empty() && parent != path && !files.exists(parent)) make_directories(files, parent);
  try {
    files.make_directory(path);
  } catch (const FileError& error) {
    // Somebody else made it meanwhile: another writer of the run whose directory was removed.
    if (error.error_number() != EEXIST) throw;
  }
}

void remove_flat_directory(FileLayer& files, const std::filesystem::path& path) {
  try {
    files.remove_directory(path);
    return;
  } catch (const FileError& error) {
    // The plain removal comes first because it answers what the path is, and follows no link: a link to a directory
    // gives ENOTDIR, and only the link goes. POSIX lets a directory that is not empty answer with either of two codes.
    if (error.error_number() == ENOTDIR) return files.remove_file(path);
    if (error.error_number() != ENOTEMPTY && error.error_number() != EEXIST) throw;
  }
  for (const std::string& name : files.list(path)) files.remove_file(path / name);
  files.remove_directory(path);
}

}  // namespace negatron
