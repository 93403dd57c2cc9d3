#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

/// A call of the operating system failed.
class FileError : public SnapshotError {
 public:
  /// "Could not fsync 'PATH': No space left on device."
  FileError(std::string_view operation, const std::filesystem::path& path, int error_number);
  int error_number() const noexcept { return error_number_; }
  bool is_absent() const noexcept;
  /// Of what lies on the disk. Others (no permission, too many open files, a server that does not answer) say nothing
  /// about it.
  bool tells_of_damage() const noexcept;

 private:
  int error_number_;
};

/// A new file, written front to back. Closed without complaint by the destructor: what matters has been synced by then.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  /// All of the bytes, or a throw.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Returns when the content is on the disk. After a throw the file is lost: the kernel may have dropped what it could
  /// not write, so a second try that succeeds proves nothing.
  virtual void sync() = 0;
  virtual void close() = 0;
};

class InputFile {
 public:
  virtual ~InputFile() = default;
  virtual std::int64_t size() const = 0;
  /// Fills `bytes` from `offset`; throws SnapshotError when the file ends before.
  virtual void read(std::int64_t offset, std::span<std::byte> bytes) const = 0;
};

/// All that snapshots ask of a file system, and the only way they touch it (HDF5 reads files by itself, after their
/// digest was checked). Tests put a layer in its place that loses what was not synced. Thread-safe. Every function
/// throws FileError.
class FileLayer {
 public:
  virtual ~FileLayer() = default;

  /// The file must not exist.
  virtual std::unique_ptr<OutputFile> create(const std::filesystem::path& path) = 0;
  /// A regular file, or a link to one: data managers keep files elsewhere. A link that leads nowhere is not absent but
  /// cannot be read (ENOLINK).
  virtual std::unique_ptr<InputFile> open(const std::filesystem::path& path) const = 0;

  /// The directory must not exist, its parent must.
  virtual void make_directory(const std::filesystem::path& path) = 0;
  /// Returns when the names in the directory are on the disk.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  /// Fails with EEXIST where something has the name `to`: in one step where the file system can, else after a look.
  virtual void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to);
  virtual void remove_file(const std::filesystem::path& path) = 0;
  virtual void remove_directory(const std::filesystem::path& path) = 0;

  /// The names in a directory, in no order.
  virtual std::vector<std::string> list(const std::filesystem::path& path) const = 0;
  virtual bool exists(const std::filesystem::path& path) const = 0;
};

/// The whole content. Refuses with SnapshotError more than `most_bytes`.
std::string read_text(const FileLayer& files, const std::filesystem::path& path, std::int64_t most_bytes);
/// Creates, writes and syncs.
void write_text(FileLayer& files, const std::filesystem::path& path, std::string_view text);
/// Makes a directory that is not there, and those above it.
void make_directories(FileLayer& files, const std::filesystem::path& path);
/// Removes a directory that this process made and filled with files; of a link to one only the link.
void remove_flat_directory(FileLayer& files, const std::filesystem::path& path);

}  // namespace negatron
