#include "runtime/snapshots/files/posix_file_layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace negatron {
namespace {

namespace fs = std::filesystem;

// The umask takes away what its user does not want.
constexpr mode_t kFileMode = 0666;
constexpr mode_t kDirectoryMode = 0777;
// With the usual blocks of 1 MiB the disk is told to begin once in eight of them.
constexpr off_t kWriteBackBytes = 8 << 20;

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

// O_CLOEXEC: a program that a library starts beside the run must not keep a snapshot's files open.
int open_or_throw(const fs::path& path, int flags, const char* operation) {
  for (;;) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
    if (number >= 0) return number;
    if (errno != EINTR) throw FileError(operation, path, errno);
  }
}

void sync_or_throw(const PosixCalls& calls, int number, const fs::path& path) {
  // EINTR too: what fsync has reported once it may not report again.
  if (calls.fsync(number) != 0) throw FileError("fsync", path, errno);
}

class PosixOutputFile : public OutputFile {
 public:
  PosixOutputFile(const fs::path& path, const PosixCalls& calls)
      : path_(path), calls_(calls), file_(open_or_throw(path, O_WRONLY | O_CREAT | O_EXCL, "create")) {}

  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = calls_.write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw FileError("write", path_, errno);
      // A write of nothing would be tried forever.
      if (written == 0) throw FileError("write", path_, EIO);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      written_ += written;
    }
    start_writing_back();
  }

  void sync() override { sync_or_throw(calls_, file_.get(), path_); }

  void close() override {
    // Linux has closed the descriptor whatever it returns.
    if (::close(file_.release()) != 0 && errno != EINTR) throw FileError("close", path_, errno);
  }

 private:
  /// Lets the disk begin while more bytes are made: without it nothing happens there before the fsync. Only a hint, so
  /// what it answers does not matter: the fsync will tell.
  void start_writing_back() {
    if (written_ - started_ < kWriteBackBytes) return;
    ::sync_file_range(file_.get(), started_, written_ - started_, SYNC_FILE_RANGE_WRITE);
    started_ = written_;
  }

  fs::path path_;
  PosixCalls calls_;
  Descriptor file_;
  off_t written_ = 0;
  /// The disk was told to begin with what lies before it.
  off_t started_ = 0;
};

// O_NONBLOCK: a pipe in place of a file must not hang the open.
int open_to_read(const fs::path& path) {
  try {
    return open_or_throw(path, O_RDONLY | O_NONBLOCK, "open");
  } catch (const FileError& error) {
    struct stat status {};
    const bool is_link =
        error.error_number() == ENOENT && ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    // Who keeps files elsewhere may not have brought this one here yet: nothing is missing in the directory itself.
    if (is_link) throw FileError("follow the link", path, ENOLINK);
    throw;
  }
}

class PosixInputFile : public InputFile {
 public:
  PosixInputFile(const fs::path& path, const PosixCalls& calls)
      : path_(path), calls_(calls), file_(open_to_read(path)) {
    struct stat status {};
    // Of the open file and not of its name, which may mean another file a moment later.
    if (::fstat(file_.get(), &status) != 0) throw FileError("read the size of", path, errno);
    if (!S_ISREG(status.st_mode)) throw SnapshotError("'" + path.string() + "' is not a regular file.");
    size_ = status.st_size;
  }

  std::int64_t size() const override { return size_; }

  void read(std::int64_t offset, std::span<std::byte> bytes) const override {
    while (!bytes.empty()) {
      const ssize_t count = calls_.pread(file_.get(), bytes.data(), bytes.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw FileError("read", path_, errno);
      // No FileError: the system did as it was told, and the file is shorter than it was when it was opened.
      if (count == 0) throw SnapshotError("'" + path_.string() + "' ends early.");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += count;
    }
  }

 private:
  fs::path path_;
  PosixCalls calls_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

}  // namespace

PosixCalls system_calls() {
  return {::write, ::pread, ::fsync};
}

std::unique_ptr<OutputFile> PosixFileLayer::create(const fs::path& path) {
  return std::make_unique<PosixOutputFile>(path, calls_);
}

std::unique_ptr<InputFile> PosixFileLayer::open(const fs::path& path) const {
  return std::make_unique<PosixInputFile>(path, calls_);
}

void PosixFileLayer::make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) != 0) throw FileError("make the directory", path, errno);
}

// fsync of a file makes its bytes durable but not its name: that lies in the directory, which has an fsync of its own.
// Without it a power cut may leave a file that was synced under no name at all.
void PosixFileLayer::sync_directory(const fs::path& path) {
  // A file's fsync does not cover the name by which it is found. That is content of its directory, which has an fsync
  // of its own.
  const Descriptor directory(open_or_throw(path, O_RDONLY | O_DIRECTORY, "open the directory"));
  sync_or_throw(calls_, directory.get(), path);
}

void PosixFileLayer::rename(const fs::path& from, const fs::path& to) {
  // All or nothing within one file system: whoever looks meanwhile, or after a power cut, finds the old name or the new
  // one.
  if (::rename(from.c_str(), to.c_str()) != 0) throw FileError("rename to '" + to.string() + "'", from, errno);
}

void PosixFileLayer::rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  // What not every kernel or file system can (NFS).
  if (errno == EINVAL || errno == ENOSYS) return FileLayer::rename_to_new(from, to);
  throw FileError("rename to '" + to.string() + "'", from, errno);
}

void PosixFileLayer::remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) throw FileError("remove", path, errno);
}

void PosixFileLayer::remove_directory(const fs::path& path) {
  if (::rmdir(path.c_str()) != 0) throw FileError("remove the directory", path, errno);
}

// readdir answers null both at the end and on an error, and only errno tells which: it is cleared before each call. A
// listing that an error cut short would hide the newest snapshot.
std::vector<std::string> PosixFileLayer::list(const fs::path& path) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) throw FileError("list", path, errno);
  std::vector<std::string> names;
  for (;;) {
    // readdir returns null at the end and after an error alike; errno alone tells them apart. Half a list taken for a
    // whole one would hide snapshots.
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) throw FileError("list", path, errno);
  return names;
}

// lstat: a link that leads nowhere takes up its name all the same. What cannot be looked at is an error and not absent.
bool PosixFileLayer::exists(const fs::path& path) const {
  struct stat status {};
  // A link that leads nowhere exists: a rename or a removal would meet it.
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw FileError("look for", path, errno);
}

}  // namespace negatron
