#include "runtime/snapshots/hdf5/skeleton.h"

#include <algorithm>

#include "runtime/snapshots/hdf5/hdf5_create.h"
#include "runtime/snapshots/hdf5/memory_file.h"

namespace negatron {
namespace {

struct Placement {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::size_t dataset = 0;
};

/// Contiguous, with its place in the file fixed at once and nothing written there.
Hdf5Handle in_place() {
  Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "making dataset properties");
  hdf5_ok(H5Pset_layout(properties.get(), H5D_CONTIGUOUS), "asking for a contiguous dataset");
  // By default a contiguous dataset gets its place at the first write, which never comes here.
  hdf5_ok(H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY), "asking for early allocation");
  hdf5_ok(H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER), "asking for no fill");
  // Times would make equal snapshots differ.
  hdf5_ok(H5Pset_obj_track_times(properties.get(), false), "asking for no times");
  return properties;
}

std::vector<Placement> lay_out(const Hdf5Layout& plan, const std::string& path) {
  const Hdf5Lock lock;
  Hdf5Handle file = create_hdf5(path);
  for (const std::string& group : plan.groups) create_group(file, group);
  const Hdf5Handle properties = in_place();
  std::vector<Placement> placements;
  for (std::size_t i = 0; i < plan.datasets.size(); ++i) {
    const Hdf5Dataset& dataset = plan.datasets[i];
    const Hdf5Handle type =
        dataset.text ? hdf5_text_type(static_cast<std::size_t>(dataset.shape.at(0))) : hdf5_type(dataset.dtype);
    const Hdf5Handle space = make_space(dataset.text ? std::vector<std::int64_t>{} : dataset.shape);
    const Hdf5Handle made(H5Dcreate2(file.get(), dataset.path.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                     properties.get(), H5P_DEFAULT),
                          H5Dclose, "making the dataset '" + dataset.path + "'");
    const hssize_t elements = H5Sget_simple_extent_npoints(space.get());
    hdf5_ok(elements < 0 ? -1 : 0, "counting the elements of '" + dataset.path + "'");
    const std::int64_t bytes = elements * static_cast<std::int64_t>(H5Tget_size(type.get()));
    // A shard may hold no key that counts: its datasets are [0, d] and [0], without a place in the file.
    if (bytes == 0) continue;
    const haddr_t offset = H5Dget_offset(made.get());
    if (offset == HADDR_UNDEF)
      throw SnapshotError("HDF5 gave the dataset '" + dataset.path + "' no place in its file.");
    placements.push_back({static_cast<std::int64_t>(offset), bytes, i});
  }
  for (const Hdf5Attribute& attribute : plan.attributes) create_attribute(file, attribute);
  file.close("closing a skeleton");
  return placements;
}

std::int64_t data_bytes(const Hdf5Layout& plan) {
  std::int64_t bytes = 0;
  for (const Hdf5Dataset& dataset : plan.datasets) {
    std::int64_t size = dataset.text ? 1 : static_cast<std::int64_t>(at::elementSize(dataset.dtype));
    for (const std::int64_t length : dataset.shape) size *= length;
    bytes += size;
  }
  return bytes;
}

}  // namespace

Skeleton make_skeleton(const Hdf5Layout& plan) {
  const MemoryFile file(data_bytes(plan));
  const std::vector<Placement> placements = lay_out(plan, file.path());
  // Metadata between them may lie anywhere, but sources are asked one after the other.
  const auto by_offset = [](const Placement& a, const Placement& b) { return a.offset < b.offset; };
  if (!std::is_sorted(placements.begin(), placements.end(), by_offset)) {
    throw SnapshotError("HDF5 placed datasets in another order than they were made.");
  }
  Skeleton skeleton;
  // Pieces alternate: HDF5's bytes up to a dataset, that dataset, HDF5's bytes behind it. Example with made-up offsets:
  // datasets of 512 bytes at 2048 and of 64 at 2560 in a file of 4096 bytes give metadata [0, 2048), data [2048, 2560),
  // data [2560, 2624), metadata [2624, 4096); the second gap is empty and gives no piece.
  skeleton.bytes = file.size();
  std::int64_t offset = 0;
  const auto metadata_until = [&](std::int64_t end) {
    if (end < offset) throw SnapshotError("HDF5 placed two datasets at one place.");
    if (end == offset) return;
    Skeleton::Piece piece;
    piece.metadata.resize(static_cast<std::size_t>(end - offset));
    file.read(offset, piece.metadata);
    skeleton.pieces.push_back(std::move(piece));
    offset = end;
  };
  for (const Placement& placement : placements) {
    metadata_until(placement.offset);
    skeleton.pieces.push_back({{}, placement.dataset, placement.bytes});
    offset += placement.bytes;
  }
  // A file that ends with a dataset of which nothing was written need not have been given its full size.
  metadata_until(std::max(offset, skeleton.bytes));
  return skeleton;
}

}  // namespace negatron
