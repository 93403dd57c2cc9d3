#include "runtime/snapshots/files/file_writing.h"

#include <algorithm>

#include "runtime/snapshots/hdf5/skeleton.h"

namespace negatron {
namespace {

/// One file on its way to the disk.
class DigestedFile {
 public:
  DigestedFile(FileLayer& files, const std::filesystem::path& path, const FileWriting& writing)
      : files_(files), path_(path), writing_(writing) {
    writing.reach("open");
    file_ = files.create(path);
  }

  void append(std::span<const std::byte> bytes) {
    writing_.between_blocks();
    // The digest is of what the source gave, before any system call has seen it: what reading back gives is compared
    // with that, and not with what the file system made of it.
    digest_.update(bytes);
    file_->append(bytes);
    bytes_ += static_cast<std::int64_t>(bytes.size());
    writing_.reach("data");
  }

  FileDigest finish() {
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

 private:
  FileLayer& files_;
  std::filesystem::path path_;
  const FileWriting& writing_;
  std::unique_ptr<OutputFile> file_;
  DigestStream digest_;
  std::int64_t bytes_ = 0;
};

}  // namespace

FileDigest write_hdf5(FileLayer& files, const std::filesystem::path& path, const Hdf5Layout& plan,
                      const FileWriting& writing) {
  // HDF5 lays the file out in memory and never sees the disk. So each byte is written once, front to back, by calls
  // whose errors are seen one by one, and the digest is made on the way.
  const Skeleton skeleton = make_skeleton(plan);
  DigestedFile file(files, path, writing);
  for (const Skeleton::Piece& piece : skeleton.pieces) {
    if (!piece.metadata.empty()) file.append(piece.metadata);
    for (std::int64_t left = piece.data_bytes; left > 0;) {
      const auto size = static_cast<std::size_t>(std::min(left, writing.block_bytes));
      const std::span<const std::byte> bytes = plan.datasets.at(piece.dataset).bytes(size);
      // The skeleton promised this many bytes. A source that ends early must not leave a file whose later datasets are
      // shifted, nor be asked forever.
      if (bytes.empty()) throw SnapshotError("The dataset '" + plan.datasets.at(piece.dataset).path + "' ends early.");
      file.append(bytes);
      left -= static_cast<std::int64_t>(bytes.size());
    }
  }
  writing.reach("flush");
  return file.finish();
}

FileDigest write_bytes(FileLayer& files, const std::filesystem::path& path, std::span<const std::byte> bytes,
                       const FileWriting& writing) {
  DigestedFile file(files, path, writing);
  file.append(bytes);
  writing.reach("flush");
  return file.finish();
}

}  // namespace negatron
