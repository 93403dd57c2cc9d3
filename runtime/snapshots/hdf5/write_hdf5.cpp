#include "runtime/snapshots/hdf5/write_hdf5.h"

#include <algorithm>

#include "runtime/snapshots/hdf5/skeleton.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

FileDigest write_hdf5(FileLayer& files, const std::filesystem::path& path, const Hdf5Layout& layout,
                      const FileWriting& writing) {
  // HDF5 lays the file out in memory and never sees the disk. So each byte is written once, front to back, by calls
  // whose errors are seen one by one, and the digest is made on the way.
  const Skeleton skeleton = make_skeleton(layout);
  DigestedFile file(files, path, writing);
  for (const Skeleton::Piece& piece : skeleton.pieces) {
    if (!piece.metadata.empty()) file.append(piece.metadata);
    for (std::int64_t left = piece.data_bytes; left > 0;) {
      const auto size = static_cast<std::size_t>(std::min(left, writing.block_bytes));
      const std::span<const std::byte> bytes = layout.datasets.at(piece.dataset).bytes(size);
      // The skeleton promised this many bytes. A source that ends early must not leave a file whose later datasets are
      // shifted, nor be asked forever.
      if (bytes.empty())
        throw SnapshotError("The dataset '" + layout.datasets.at(piece.dataset).path + "' ends early.");
      file.append(bytes);
      left -= static_cast<std::int64_t>(bytes.size());
    }
  }
  writing.reach("flush");
  return file.finish();
}

}  // namespace negatron
