#include "runtime/snapshots/files/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <span>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kLockFileMode = 0666;
constexpr std::int64_t kMostLockBytes = 1 << 16;

/// A lock file that disappears between two looks is looked for again so often.
constexpr int kTries = 100;

bool is_one_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int open_existing(const fs::path& path, int access) {
  // O_CLOEXEC: a program that a library starts must not hold the lock. O_NONBLOCK: a pipe of that name must not hang.
  return ::open(path.c_str(), access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

}  // namespace

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(number_, other.number_);
  std::swap(held_, other.held_);
  std::swap(was_made_, other.was_made_);
  return *this;
}

LockFile::~LockFile() {
  if (number_ >= 0) ::close(number_);
}

LockFile LockFile::open_or_make(const fs::path& path, const Text& text) {
  for (int i = 0; i < kTries; ++i) {
    LockFile file(path, open_existing(path, O_RDWR));
    const int open_error = errno;
    if (!file.is_open() && open_error != ENOENT) {
      // Who may not write may still learn that somebody holds it.
      file = LockFile(path, open_existing(path, O_RDONLY));
      if (file.is_open()) file.lock();
      if (file.held_ == Held::kByAnother) return file;
      throw FileError("open", path, open_error);
    }
    if (!file.is_open()) {
      file = make(path, text);
      if (file.is_open()) return file;
      continue;
    }
    struct stat status {};
    if (::fstat(file.number_, &status) != 0) throw FileError("look at", path, errno);
    if (!S_ISREG(status.st_mode)) throw SnapshotError("'" + path.string() + "' is not a regular file.");
    file.lock();
    // Its holder may have removed the name and gone between the opening and the locking; a lock on what has no name
    // keeps nobody out.
    if (file.held_ == Held::kByAnother || file.is_at_its_path()) return file;
  }
  throw SnapshotError("'" + path.string() + "' comes and goes; another run ends or begins just now.");
}

/// Nothing open when someone else was faster. A hard link fails where the name exists, so that of several makers one
/// comes through, and whoever sees the name sees the whole content of a file that is locked already.
LockFile LockFile::make(const fs::path& path, const Text& text) {
  std::random_device random;
  const fs::path beside = path.string() + ".new-" + std::to_string(::getpid()) + "-" + std::to_string(random());
  LockFile file(beside, ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kLockFileMode));
  if (!file.is_open()) throw FileError("create", path, errno);
  try {
    file.lock();
    file.write(text(file));
    const bool linked = ::link(beside.c_str(), path.c_str()) == 0;
    if (!linked && errno == EEXIST) {
      ::unlink(beside.c_str());
      return {};
    }
    if (linked) {
      ::unlink(beside.c_str());
    } else {
      // Not every file system has links.
      PosixFileLayer().rename_to_new(beside, path);
    }
  } catch (const FileError& error) {
    ::unlink(beside.c_str());
    if (error.error_number() == EEXIST) return {};
    throw;
  }
  file.path_ = path;
  file.was_made_ = true;
  return file;
}

void LockFile::lock() {
  int result = 0;
  do {
    result = ::flock(number_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    held_ = Held::kByThis;
  } else {
    // All other errors (ENOLCK, ENOTSUP, ENOSYS ...) say that this file system locks nothing.
    held_ = errno == EWOULDBLOCK ? Held::kByAnother : Held::kUnknown;
  }
}

std::int64_t LockFile::device() const {
  struct stat status {};
  return ::fstat(number_, &status) == 0 ? static_cast<std::int64_t>(status.st_dev) : 0;
}

bool LockFile::is_at_its_path() const {
  struct stat own {};
  struct stat there {};
  return ::fstat(number_, &own) == 0 && ::lstat(path_.c_str(), &there) == 0 && is_one_file(own, there);
}

std::string LockFile::text_at_path() const {
  try {
    const std::unique_ptr<InputFile> file = PosixFileLayer().open(path_);
    // The file may be anyone's; more than that no record is long.
    std::string text(static_cast<std::size_t>(std::min(file->size(), kMostLockBytes)), '\0');
    file->read(0, std::as_writable_bytes(std::span(text)));
    return text;
  } catch (const FileError& error) {
    if (error.is_absent()) return {};
    throw;
  }
}

void LockFile::write(const std::string& text) {
  ssize_t written = 0;
  do {
    written = ::pwrite(number_, text.data(), text.size(), 0);
  } while (written < 0 && errno == EINTR);
  if (written < 0) throw FileError("write", path_, errno);
  // A file that holds a part of a record has been there before, or goes with the throw.
  if (written != static_cast<ssize_t>(text.size())) throw FileError("write", path_, ENOSPC);
  if (::ftruncate(number_, written) != 0) throw FileError("write", path_, errno);
  if (::fdatasync(number_) != 0) throw FileError("fsync", path_, errno);
}

void LockFile::remove() {
  if (::unlink(path_.c_str()) != 0) throw FileError("remove", path_, errno);
}

}  // namespace negatron
