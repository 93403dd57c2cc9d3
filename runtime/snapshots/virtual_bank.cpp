#include "runtime/snapshots/virtual_bank.h"

#include <algorithm>
#include <array>

#include "runtime/snapshots/files/digested_file.h"
#include "runtime/snapshots/hdf5/hdf5_create.h"
#include "runtime/snapshots/hdf5/memory_file.h"

namespace negatron {
namespace {

/// Consecutive batches of one size: each shard's part of them is a regular pattern, and so one mapping.
struct Run {
  std::int64_t size = 0;
  std::int64_t count = 0;
  /// Keys of the first batch that have expired; then count is 1.
  std::int64_t expired = 0;
  /// Sequence number of its first key, expired or not.
  std::int64_t start = 0;
};

std::vector<Run> runs_of(const BankLayout& layout) {
  std::vector<Run> runs;
  for (const BankBatch& batch : layout.batches()) {
    const std::int64_t expired = std::max<std::int64_t>(0, layout.floor() - batch.start);
    if (!runs.empty() && runs.back().expired == 0 && expired == 0 && runs.back().size == batch.size) {
      ++runs.back().count;
    } else {
      runs.push_back({batch.size, 1, expired, batch.start});
    }
  }
  return runs;
}

/// Some elements, and then some again every so many: all columns of rows.
struct Selection {
  std::int64_t begin = 0;
  std::int64_t stride = 0;
  std::int64_t count = 0;
  std::int64_t block = 0;
};

void select(const Hdf5Handle& space, const Selection& rows, std::int64_t width) {
  const std::array<hsize_t, 2> start{static_cast<hsize_t>(rows.begin), 0};
  const std::array<hsize_t, 2> stride{static_cast<hsize_t>(rows.stride), 1};
  const std::array<hsize_t, 2> count{static_cast<hsize_t>(rows.count), 1};
  const std::array<hsize_t, 2> block{static_cast<hsize_t>(rows.block),
                                     static_cast<hsize_t>(std::max<std::int64_t>(1, width))};
  hdf5_ok(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), stride.data(), count.data(), block.data()),
          "selecting rows of bank.h5");
}

/// `width` 0: one number per key.
///
/// Example: K = 6, batches of 4 by 2 shards; after three batches the keys 6 to 11 count, and the runs are batch 1 with
/// 2 keys expired, and batch 2. Rows of bank.h5 and of the shards' files:
///   key       6  7    8  9    10 11
///   row       0  1    2  3     4  5
///   shard     1  1    0  0     1  1
///   row in it 0  1    0  1     2  3
/// Shard 0 has no key left of batch 1, so three mappings make up the whole. A thousand whole batches of 4 in a row are
/// one run: of shard 1 one mapping, which takes 2 of every 4 rows a thousand times.
void create_virtual(const Hdf5Handle& file, const char* name, at::ScalarType dtype, std::int64_t width,
                    const SavedBank& bank, const BankLayout& layout) {
  const auto shape = [&](std::int64_t rows) { return width > 0 ? std::vector{rows, width} : std::vector{rows}; };
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "making dataset properties");
  hdf5_ok(H5Pset_obj_track_times(properties.get(), false), "asking for no times");
  for (int shard = 0; shard < bank.shards; ++shard) {
    const RingOrder order(layout, shard);
    if (order.size() == 0) continue;
    const Hdf5Handle target = make_space(shape(layout.filled()));
    const Hdf5Handle source = make_space(shape(order.size()));
    for (const Run& run : runs_of(layout)) {
      const Range own = share(run.size, bank.shards, shard);
      const std::int64_t first = std::max(own.begin, run.expired);
      const std::int64_t block = own.end - first;
      if (block <= 0) continue;
      const std::int64_t sequence = run.start + first;
      // Example: 2 shards and two batches of 4 keys, none expired. Shard 1 holds keys 2, 3, 6 and 7: in the bank 2 rows
      // from row 2 on and 2 again 4 rows later, in its own file 2 rows and the 2 that follow.
      select(target, {sequence - layout.floor(), run.size, run.count, block}, width);
      select(source, {order.position_of(sequence), block, run.count, block}, width);
      hdf5_ok(H5Pset_virtual(properties.get(), target.get(), bank_file_name(shard, bank.shards, bank.name).c_str(),
                             name, source.get()),
              "mapping a shard into bank.h5");
    }
  }
  const Hdf5Handle space = make_space(shape(layout.filled()));
  const Hdf5Handle made(
      H5Dcreate2(file.get(), name, hdf5_type(dtype).get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
      H5Dclose, std::string("making the virtual dataset ") + name);
}

}  // namespace

FileDigest write_virtual_bank(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank,
                              const FileWriting& writing) {
  const BankLayout layout(bank.layout, bank.shards);
  std::vector<std::byte> bytes;
  {
    const Hdf5Lock lock;
    const MemoryFile memory(0);
    Hdf5Handle file = create_hdf5(memory.path());
    create_virtual(file, "rows", bank.dtype, bank.width, bank, layout);
    for (const char* name : {"ids", "labels", "steps", "sequence"})
      create_virtual(file, name, at::kLong, 0, bank, layout);
    if (rows_learn(bank.kind)) {
      for (const auto& [name, width] : {raw_dataset(bank), moments_dataset(bank)})
        create_virtual(file, name, learned_type(bank), width, bank, layout);
    }
    for (const auto& [name, value] : {std::pair<const char*, std::int64_t>{"format", format_for(bank)},
                                      {"capacity", layout.capacity()},
                                      {"width", bank.width},
                                      {"head", layout.head()},
                                      {"filled", layout.filled()},
                                      {"shards", bank.shards}}) {
      create_attribute(file, {"/", name, value});
    }
    for (const auto& [name, value] : length_attributes(bank)) create_attribute(file, {"/", name, value});
    file.close("closing bank.h5");
    bytes.resize(static_cast<std::size_t>(memory.size()));
    memory.read(0, bytes);
  }
  return write_bytes(files, path, bytes, writing);
}

}  // namespace negatron
