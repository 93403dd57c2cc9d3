#include "runtime/bank_files/learned_rows.h"

#include <algorithm>
#include <vector>

#include "comm/share.h"

namespace negatron {

// Rows that learn lie in one batch of all K, so a shard's file holds its share of them in the order of their numbers.
// Example: of 7 rows over 3 files, shares [0, 3) [3, 5) [5, 7), rows 2 to 5 are row 2 of the first file, both rows of
// the second and row 0 of the third.
at::Tensor LearnedRows::read(Range sequence) {
  const SavedBank& saved = bank_.bank();
  std::vector<at::Tensor> parts;
  for (int shard = 0; shard < saved.shards; ++shard) {
    const Range own = share(saved.layout.capacity, saved.shards, shard);
    const Range wanted{std::max(sequence.begin, own.begin), std::min(sequence.end, own.end)};
    if (wanted.begin < wanted.end) {
      parts.push_back(open(shard).read_rows(dataset_.name, wanted.begin - own.begin, wanted.size()));
    }
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

Hdf5Reader& LearnedRows::open(int shard) {
  const auto known = files_.find(shard);
  if (known != files_.end()) return known->second;
  const SavedBank& saved = bank_.bank();
  return files_.emplace(shard, Hdf5Reader(bank_.path / bank_file_name(shard, saved.shards, saved.name))).first->second;
}

}  // namespace negatron
