#include "runtime/bank_files/find_duplicates.h"

#include <algorithm>
#include <tuple>

#include "runtime/bank_files/row_digests.h"

namespace negatron {
namespace {

struct Entry {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  /// Counted through all banks.
  std::int64_t number = 0;
};

bool entry_before(const Entry& x, const Entry& y) {
  return std::tie(x.low, x.high, x.number) < std::tie(y.low, y.high, y.number);
}

/// What a row takes while its block is read, converted and digested.
std::int64_t bytes_per_row(const OpenBank& bank, at::ScalarType dtype) {
  const std::int64_t converted = bank.bank().width * static_cast<std::int64_t>(c10::elementSize(dtype));
  return bank.bytes_while_reading() + converted + static_cast<std::int64_t>(sizeof(RowDigest));
}

}  // namespace

void find_duplicates(const std::vector<OpenBank>& banks, const DuplicateOptions& options, BankMemory memory,
                     const std::function<void(const RowPlace& first, const RowPlace& again)>& found) {
  // starts[i] is the number of the oldest row of bank i.
  std::vector<std::int64_t> starts{0};
  for (const OpenBank& bank : banks) starts.push_back(starts.back() + bank.layout().filled());
  const auto place_of = [&](std::int64_t number) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), number);
    const auto bank = static_cast<std::size_t>(after - starts.begin()) - 1;
    return RowPlace{bank, banks[bank].layout().floor() + number - starts[bank]};
  };

  const std::int64_t for_entries = memory.left() / 2;
  memory.reserve(for_entries, "comparing rows");
  const std::int64_t most = std::max<std::int64_t>(1, for_entries / static_cast<std::int64_t>(sizeof(Entry)));
  const auto parts = static_cast<std::uint64_t>(1 + starts.back() / most);
  const auto expected = static_cast<std::size_t>(starts.back()) / parts;
  std::vector<Entry> entries;
  entries.reserve(expected + expected / 8 + 64);
  for (std::uint64_t part = 0; part < parts; ++part) {
    entries.clear();
    std::int64_t number = 0;
    for (const OpenBank& bank : banks) {
      for_each_block(bank, memory.fitting(bytes_per_row(bank, options.dtype)), [&](const BankBlock& block) {
        BankBlock compared = block;
        compared.vectors = block.vectors.to(options.dtype).contiguous();
        const auto* id = block.ids.const_data_ptr<std::int64_t>();
        // Equal rows have equal digests and so the same part, in whichever banks they are: no pair is missed between
        // parts.
        for (const RowDigest& digest : digest_rows(compared)) {
          const bool counts = options.without_id || *id >= 0;
          if (counts && part_of(digest, parts) == part) entries.push_back({digest.low, digest.high, number});
          ++number;
          ++id;
        }
      });
    }
    // Equal rows lie together, that of the lowest number first. Of three equal rows 4, 9 and 20 the pairs (4, 9) and
    // (4, 20) are told: whoever leaves out the later ones keeps exactly one.
    std::sort(entries.begin(), entries.end(), entry_before);
    const Entry* first = nullptr;
    for (const Entry& entry : entries) {
      if (first != nullptr && first->low == entry.low && first->high == entry.high) {
        found(place_of(first->number), place_of(entry.number));
      } else {
        first = &entry;
      }
    }
  }
}

}  // namespace negatron
