#include "runtime/bank_files/row_digests.h"

#include <xxhash.h>

#include <array>
#include <cstring>

namespace negatron {

std::vector<RowDigest> digest_rows(const BankBlock& block) {
  const auto rows = static_cast<std::size_t>(block.ids.size(0));
  const std::size_t row_bytes = block.vectors.nbytes() / rows;
  const auto* vector = static_cast<const std::byte*>(block.vectors.const_data_ptr());
  const auto* id = block.ids.const_data_ptr<std::int64_t>();
  const auto* step = block.steps.const_data_ptr<std::int64_t>();
  std::vector<RowDigest> digests(rows);
  std::vector<std::byte> bytes(2 * sizeof(std::int64_t) + row_bytes);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::array<std::int64_t, 2> key{id[i], step[i]};
    // [id, step, vector] in one piece of memory. 128 bits: among 2^32 rows two different ones have equal digests with a
    // chance of about 2^-65.
    std::memcpy(bytes.data(), key.data(), sizeof key);
    std::memcpy(bytes.data() + sizeof key, vector + i * row_bytes, row_bytes);
    const XXH128_hash_t all = XXH3_128bits(bytes.data(), bytes.size());
    digests[i] = {all.low64, all.high64, id[i] < 0 ? 0 : XXH3_64bits(key.data(), sizeof key)};
  }
  return digests;
}

}  // namespace negatron
