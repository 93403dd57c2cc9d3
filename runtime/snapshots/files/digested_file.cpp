#include "runtime/snapshots/files/digested_file.h"

namespace negatron {

DigestedFile::DigestedFile(FileLayer& files, const std::filesystem::path& path, const FileWriting& writing)
    : files_(files), path_(path), writing_(writing) {
  writing.reach("open");
  file_ = files.create(path);
}

void DigestedFile::append(std::span<const std::byte> bytes) {
  writing_.between_blocks();
  // The digest is of what the source gave, before any system call has seen it: what reading back gives is compared
  // with that, and not with what the file system made of it.
  digest_.update(bytes);
  file_->append(bytes);
  bytes_ += static_cast<std::int64_t>(bytes.size());
  writing_.reach("data");
}

FileDigest DigestedFile::finish() {
  const FileDigest written{bytes_, digest_.hex()};
  // Before the fsync: the disk is busy with what was written, and this costs no time of its own.
  writing_.reach("verify");
  const auto between_blocks = [this] { writing_.between_blocks(); };
  // This finds bytes that did not arrive in the file as they were. Most of it is read from the page cache, so a disk
  // that forgets later is found when the snapshot is restored, by the same digest.
  check_digest(path_, digest_of_file(files_, path_, writing_.block_bytes, between_blocks), written);
  writing_.reach("fsync");
  // A failure here is that of the file for good (the kernel may mark what it could not write as clean), so the save
  // fails, its directory is removed and the next save begins with new files.
  file_->sync();
  file_->close();
  return written;
}

FileDigest write_bytes(FileLayer& files, const std::filesystem::path& path, std::span<const std::byte> bytes,
                       const FileWriting& writing) {
  DigestedFile file(files, path, writing);
  file.append(bytes);
  writing.reach("flush");
  return file.finish();
}

}  // namespace negatron
