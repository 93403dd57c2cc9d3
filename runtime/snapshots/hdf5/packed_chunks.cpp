#include "runtime/snapshots/hdf5/packed_chunks.h"

#include <array>

#include <zlib.h>

namespace negatron {
namespace {

constexpr std::uint64_t kChecksumBytes = 4;

/// What stands between a chunk and its bytes in the file.
struct ChunkFilters {
  bool deflated = false;
  /// Checksums below and above the deflated bytes.
  std::uint64_t inside = 0, outside = 0;
};

/// Without those that the chunk leaves out: bit i of `skipped` is filter i.
ChunkFilters filters_of(hid_t properties, std::uint32_t skipped) {
  ChunkFilters filters;
  const int count = H5Pget_nfilters(properties);
  for (int i = 0; i < count; ++i) {
    const H5Z_filter_t filter = filter_at(properties, i);
    if ((skipped >> static_cast<unsigned>(i) & 1U) != 0) continue;
    if (filter == H5Z_FILTER_DEFLATE) filters.deflated = true;
    if (filter == H5Z_FILTER_FLETCHER32) (filters.deflated ? filters.outside : filters.inside) += kChecksumBytes;
  }
  return filters;
}

/// How many bytes come out, at most one more than `most`; none where they are damaged.
std::uint64_t inflated_bytes(const std::vector<unsigned char>& packed, std::uint64_t bytes, std::uint64_t most) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return 0;
  stream.next_in = const_cast<unsigned char*>(packed.data());
  stream.avail_in = static_cast<unsigned>(bytes);
  std::array<unsigned char, 1 << 14> scratch;
  int state = Z_OK;
  std::uint64_t made = 0;
  while (state == Z_OK && made <= most) {
    stream.next_out = scratch.data();
    stream.avail_out = scratch.size();
    state = inflate(&stream, Z_NO_FLUSH);
    made += scratch.size() - stream.avail_out;
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END || made > most ? made : 0;
}

std::string wrong_one(const PackedBlock& block, const std::vector<hsize_t>& offset, std::uint64_t chunk_bytes) {
  hsize_t stored = 0;
  // A chunk that was never written takes no room, and is made up.
  if (H5Dget_chunk_storage_size(block.dataset, offset.data(), &stored) < 0 || stored == 0) return {};
  if (stored > static_cast<hsize_t>(block.file_bytes)) return "a chunk of it is larger than the file";
  std::vector<unsigned char> packed(stored);
  std::uint32_t skipped = 0;
  hdf5_ok(H5Dread_chunk(block.dataset, H5P_DEFAULT, offset.data(), &skipped, packed.data()), "reading a chunk");
  const ChunkFilters filters = filters_of(block.properties, skipped);
  if (stored < filters.outside) return "a chunk of it is cut short";
  const std::uint64_t whole = chunk_bytes + filters.inside, rest = stored - filters.outside;
  const std::uint64_t found = filters.deflated ? inflated_bytes(packed, rest, whole) : rest;
  return found == whole ? std::string() : "a chunk of it is not as long as it should be";
}

}  // namespace

H5Z_filter_t filter_at(hid_t properties, int i) {
  unsigned flags = 0, config = 0;
  std::size_t values = 0;
  return H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
}

// Example: rows 5 and 6 of [10, 8] in chunks of [2, 4] touch chunks 2 and 3 of the rows and both of the columns.
std::string wrong_chunk(const PackedBlock& block) {
  const std::size_t dimensions = block.begin.size();
  std::vector<hsize_t> sizes(dimensions), first(dimensions), last(dimensions);
  const int known = H5Pget_chunk(block.properties, static_cast<int>(dimensions), sizes.data());
  if (known != static_cast<int>(dimensions)) return "its chunks have other dimensions";
  std::uint64_t chunk_bytes = block.element_bytes;
  for (std::size_t i = 0; i < dimensions; ++i) {
    if (sizes[i] == 0) return "its chunks are empty";
    chunk_bytes *= sizes[i];
    first[i] = static_cast<hsize_t>(block.begin[i]) / sizes[i] * sizes[i];
    last[i] = static_cast<hsize_t>(block.begin[i] + block.count[i] - 1);
  }
  for (std::vector<hsize_t> offset = first;;) {
    const std::string wrong = wrong_one(block, offset, chunk_bytes);
    if (!wrong.empty()) return wrong;
    std::size_t i = dimensions;
    while (i > 0 && offset[i - 1] + sizes[i - 1] > last[i - 1]) --i, offset[i] = first[i];
    if (i == 0) return {};
    offset[i - 1] += sizes[i - 1];
  }
}

}  // namespace negatron
