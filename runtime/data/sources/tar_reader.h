#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/data/sources/read_file.h"

namespace negatron {

/// A file in a tar archive.
struct TarMember {
  std::string name;
  /// Where its bytes begin in the archive.
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

/// Goes through the regular files of an archive that is not compressed, as POSIX (ustar, pax) and GNU tar write them.
/// It follows pax's path and size and GNU's long names, and passes over folders, links and devices. Local.
///
/// Format: for each member a header of 512 bytes (name, size, kind, checksum, all in ASCII), then its bytes, filled up
/// to a multiple of 512; two blocks of zeros at the end. A header of kind x or L holds what did not fit into the next.
class TarReader {
 public:
  /// `file` outlives it.
  explicit TarReader(const ReadFile& file) : file_(file) {}

  /// The next regular file; nothing at the end. Throws DataError that names the archive for a header whose checksum is
  /// wrong, and for an archive that ends within a member.
  std::optional<TarMember> next();

 private:
  struct Header;
  /// What members of their own say about the next one.
  struct Extra;
  std::optional<Header> read_header();
  void read_extra(char kind, const TarMember& member, Extra& extra) const;
  [[noreturn]] void refuse(const std::string& why) const;

  const ReadFile& file_;
  std::int64_t position_ = 0;
};

}  // namespace negatron
