#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// A file in a zip archive.
struct ZipMember {
  std::string name;
  /// Packed by deflate; else its bytes lie as they are.
  bool packed = false;
  std::int64_t packed_bytes = 0;
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;
  /// Where its own header lies.
  std::int64_t header_at = 0;
};

/// Reads zip archives that somebody else may have made (APPNOTE.TXT of PKWARE), also those above 4 GiB. Sizes are
/// compared with the file before memory is taken. Local. Functions throw SnapshotError, a reason without the file's
/// name.
class ZipFile {
 public:
  explicit ZipFile(std::shared_ptr<const InputFile> file);

  /// In the order of the archive.
  const std::vector<ZipMember>& members() const noexcept { return members_; }
  /// A member as a file: in its place in the archive, or unpacked in memory, where its checksum is compared.
  std::unique_ptr<InputFile> open(const ZipMember& member) const;
  /// No more than the first kBeginning bytes of a member, whose checksum is not compared.
  std::unique_ptr<InputFile> open_beginning(const ZipMember& member) const;
  static constexpr std::int64_t kBeginning = 4096;

 private:
  /// Where its bytes begin, all of which the archive has.
  std::int64_t place_of(const ZipMember& member) const;

  std::shared_ptr<const InputFile> file_;
  std::vector<ZipMember> members_;
};

}  // namespace negatron
