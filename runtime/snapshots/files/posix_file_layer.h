#pragma once

#include <sys/types.h>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// The system calls that may do less than they were asked for. Tests give others.
struct PosixCalls {
  ssize_t (*write)(int, const void*, std::size_t);
  ssize_t (*pread)(int, void*, std::size_t, off_t);
  int (*fsync)(int);
};

/// Those of the operating system.
PosixCalls system_calls();

/// The real file system. Interrupted and short calls are continued; a failed fsync is never tried again.
class PosixFileLayer : public FileLayer {
 public:
  explicit PosixFileLayer(const PosixCalls& calls = system_calls()) : calls_(calls) {}

  std::unique_ptr<OutputFile> create(const std::filesystem::path& path) override;
  std::unique_ptr<InputFile> open(const std::filesystem::path& path) const override;
  void make_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove_file(const std::filesystem::path& path) override;
  void remove_directory(const std::filesystem::path& path) override;
  std::vector<std::string> list(const std::filesystem::path& path) const override;
  bool exists(const std::filesystem::path& path) const override;

 private:
  PosixCalls calls_;
};

}  // namespace negatron
