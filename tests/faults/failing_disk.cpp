// Loaded in front of a program (LD_PRELOAD), it makes calls on some files fail, as a full or ill disk does:
//   FAILING_PATH    calls on paths that contain it are counted, in the order in which the process makes them
//   FAILING_FIRST   of these the first that fails, from 1; 0: none
//   FAILING_COUNT   and how many from there on
//   FAILING_ERROR   with this errno
//   FAILING_LOG     a file that gets a line for each counted call, "write PATH", for who wants to know how many there
//   are
// Counted are those that change a disk: write, pwrite, fsync, open to write, rename, mkdir. No allocation, no lock.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kLongestPath = 4096;
using PathText = std::array<char, kLongestPath>;

std::atomic<long> calls{0};

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

long number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atol(text);
}

void log_call(const char* name, const char* path) {
  const char* log = std::getenv("FAILING_LOG");
  if (log == nullptr) return;
  PathText line;
  const int length = std::snprintf(line.data(), line.size(), "%s %s\n", name, path);
  // Past the functions below, which would count it.
  static const auto open_next = next<int (*)(const char*, int, ...)>("open");
  static const auto write_next = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  const int file = open_next(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write_next(file, line.data(), static_cast<std::size_t>(length));
  ::close(file);
}

/// Whether the call with this name on this path is to fail; errno says how then.
bool fails(const char* name, const char* path) {
  const char* part = std::getenv("FAILING_PATH");
  if (part == nullptr || path == nullptr || std::strstr(path, part) == nullptr) return false;
  const int before = errno;
  const long call = calls.fetch_add(1) + 1;
  log_call(name, path);
  const long first = number_of("FAILING_FIRST");
  const bool is_one = first > 0 && call >= first && call < first + number_of("FAILING_COUNT");
  errno = is_one ? static_cast<int>(number_of("FAILING_ERROR")) : before;
  return is_one;
}

bool fails_on(const char* name, int file) {
  PathText link;
  PathText path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", file);
  const int before = errno;
  const ssize_t length = ::readlink(link.data(), path.data(), path.size() - 1);
  errno = before;
  return length > 0 && fails(name, path.data());
}

int opened(const char* function, const char* path, int flags, mode_t mode) {
  if ((flags & (O_WRONLY | O_RDWR)) != 0 && fails("open", path)) return -1;
  return next<int (*)(const char*, int, ...)>(function)(path, flags, mode);
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, std::size_t count) {
  static const auto call = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  return fails_on("write", file) ? -1 : call(file, bytes, count);
}

ssize_t pwrite(int file, const void* bytes, std::size_t count, off_t offset) {
  static const auto call = next<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite");
  return fails_on("pwrite", file) ? -1 : call(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void* bytes, std::size_t count, off64_t offset) {
  static const auto call = next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  return fails_on("pwrite", file) ? -1 : call(file, bytes, count, offset);
}

int fsync(int file) {
  static const auto call = next<int (*)(int)>("fsync");
  return fails_on("fsync", file) ? -1 : call(file);
}

int open(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return opened("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return opened("open64", path, flags, mode);
}

int rename(const char* from, const char* to) {
  static const auto call = next<int (*)(const char*, const char*)>("rename");
  return fails("rename", from) ? -1 : call(from, to);
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  static const auto call = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return fails("rename", from) ? -1 : call(from_directory, from, to_directory, to, flags);
}

int mkdir(const char* path, mode_t mode) {
  static const auto call = next<int (*)(const char*, mode_t)>("mkdir");
  return fails("mkdir", path) ? -1 : call(path, mode);
}

}  // extern "C"
