#include "runtime/metrics/appended_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace negatron {
namespace {

constexpr off_t kSearchBlock = 4096;
constexpr mode_t kAppendedMode = 0666;

int open_at_end(const std::filesystem::path& path) {
  // O_NONBLOCK: a pipe in the place of the file, which nobody reads, must not stop the run.
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kAppendedMode);
}

}  // namespace

AppendedFile::AppendedFile(std::filesystem::path path, Form form, Warn warn)
    : path_(std::move(path)), form_(std::move(form)), warn_(std::move(warn)) {
  // There from the start, as far as that depends on this; the first record tells of what is wrong.
  open_again();
}

AppendedFile::~AppendedFile() {
  close_file();
}

bool AppendedFile::append(std::string_view bytes, std::int64_t records) {
  if (file_ >= 0 && !is_at_its_name()) close_file();
  int error = file_ >= 0 ? 0 : open_again();
  if (error == 0) error = write_all(bytes);
  if (error == 0) {
    has_written_ = true;
    return true;
  }
  // Opened anew next time: what a server or a disk holds against an open file it may not hold against its name.
  close_file();
  lost_ += records;
  if (first_problem_.empty()) {
    first_problem_ = std::strerror(error);
    if (warn_) {
      warn_("'" + path_.string() + "' cannot be written: " + first_problem_ +
            ". The run goes on, and so does the file " + "when it can; what it misses is said at the end.");
    }
  }
  return false;
}

std::string AppendedFile::missing() const {
  std::string text;
  if (lost_ > 0) {
    text = "'" + path_.string() + "' misses " + std::to_string(lost_) + " " + form_.records +
           " that could not be written (" + first_problem_ + ").";
  }
  if (is_new_) {
    text += (text.empty() ? "'" + path_.string() + "'" : std::string(" It")) +
            " was removed or emptied while the run wrote it, and holds what came after that.";
  }
  return text;
}

int AppendedFile::open_again() {
  file_ = open_at_end(path_);
  if (file_ < 0 && errno == ENOENT && path_.has_parent_path()) {
    std::error_code ignored;
    std::filesystem::create_directories(path_.parent_path(), ignored);
    file_ = open_at_end(path_);
  }
  if (file_ < 0) return errno;
  const int error = prepare();
  if (error != 0) close_file();
  return error;
}

int AppendedFile::prepare() {
  struct stat status {};
  if (::fstat(file_, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return 0;
  std::int64_t end = status.st_size;
  if (half_ >= 0 && half_ < end) {
    if (::ftruncate(file_, half_) != 0) return errno;
    end = half_;
  }
  half_ = -1;
  if (end == 0 && has_written_ && !is_new_) {
    is_new_ = true;
    if (warn_) warn_("'" + path_.string() + "' was removed or emptied; the run goes on, and begins a new one.");
  }
  if (end == 0) return form_.head.empty() ? 0 : write_all(form_.head);
  if (form_.tail == Tail::kKept) return 0;
  const std::int64_t whole = whole_lines(end);
  if (whole < 0) return errno;
  if (whole == end) return 0;
  if (form_.tail == Tail::kEnded) return write_all("\n");
  return ::ftruncate(file_, whole) == 0 ? 0 : errno;
}

int AppendedFile::write_all(std::string_view bytes) {
  const off_t begin = ::lseek(file_, 0, SEEK_END);
  bool is_begun = false;
  // One write in practice; more only after a signal or at the end of the disk.
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written < 0 ? errno : EIO;
      // No half record stays: the next one would be joined to it.
      if (is_begun && begin >= 0 && ::ftruncate(file_, begin) != 0) half_ = begin;
      return error;
    }
    is_begun = true;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::int64_t AppendedFile::whole_lines(std::int64_t end) const {
  char block[kSearchBlock];
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - kSearchBlock);
    const ssize_t got = ::pread(file_, block, static_cast<std::size_t>(end - begin), begin);
    if (got != end - begin) {
      if (got >= 0) errno = EIO;
      return -1;
    }
    for (ssize_t i = got; i > 0; --i) {
      if (block[i - 1] == '\n') return begin + i;
    }
    end = begin;
  }
  return 0;
}

// A name that cannot be looked at says nothing about the file, which is open and may well take the record.
bool AppendedFile::is_at_its_name() const {
  struct stat named {};
  struct stat open {};
  if (::stat(path_.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR && errno != ESTALE;
  if (::fstat(file_, &open) != 0) return false;
  return named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

void AppendedFile::close_file() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

}  // namespace negatron
