#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// XXH3-128 over bytes that come in pieces. Finds damage, not forgery.
class DigestStream {
 public:
  DigestStream();
  void update(std::span<const std::byte> bytes);
  /// 32 hexadecimal digits, of all bytes so far.
  std::string hex() const;

 private:
  struct State;
  struct Free {
    void operator()(State* state) const noexcept;
  };
  std::unique_ptr<State, Free> state_;
};

std::string digest_of(std::string_view bytes);

/// What a file must be.
struct FileDigest {
  std::int64_t bytes = 0;
  std::string xxh3_128;
  friend bool operator==(const FileDigest&, const FileDigest&) = default;
};

/// Reads the whole file, `block_bytes` at a time. Calls `between_blocks`, if there is one, before each.
FileDigest digest_of_file(const FileLayer& files, const std::filesystem::path& path, std::int64_t block_bytes,
                          const std::function<void()>& between_blocks = {});

/// Compares the size first and reads the file only when it is right, `block_bytes` at a time: a file that claims to be
/// huge costs nothing. Throws as check_digest.
void check_file(const FileLayer& files, const std::filesystem::path& path, const FileDigest& expected,
                std::int64_t block_bytes);

/// Throws SnapshotError that names the file and both values.
void check_digest(const std::filesystem::path& path, const FileDigest& found, const FileDigest& expected);

}  // namespace negatron
