#include "runtime/bank_files/diff_banks.h"

#include <algorithm>
#include <tuple>

#include "runtime/bank_files/row_digests.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

bool before(const RowDigest& x, const RowDigest& y) {
  return std::tie(x.key, x.low, x.high) < std::tie(y.key, y.low, y.high);
}

/// The digests of one part of a bank's rows, sorted.
std::vector<RowDigest> sorted_part(const OpenBank& bank, std::uint64_t part, std::uint64_t parts,
                                   std::int64_t rows_per_block) {
  std::vector<RowDigest> digests;
  // Hashes spread rows over parts evenly, so an eighth more is rarely exceeded; where it is, the vector grows.
  const auto expected = static_cast<std::uint64_t>(bank.layout().filled()) / parts;
  digests.reserve(static_cast<std::size_t>(expected + expected / 8 + 64));
  for_each_block(bank, rows_per_block, [&](const BankBlock& block) {
    for (const RowDigest& digest : digest_rows(block)) {
      if (part_of(digest, parts) == part) digests.push_back(digest);
    }
  });
  std::sort(digests.begin(), digests.end(), before);
  return digests;
}

/// Adds what one part of both banks says. Equal rows are struck out first; what is left of one key in both has changed.
/// Example: id 7 at step 3 is there twice in each bank, with vectors u, v in one and v, w in the other. v is common; u
/// and w are left, one on each side, and count as one changed row and not as two that are in one bank only. Rows
/// without an id have key 0: nothing says which of them was which, so none of them has changed.
void compare_parts(const std::vector<RowDigest>& a, const std::vector<RowDigest>& b, BankDiff& diff) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() || y != b.end()) {
    const bool from_a = y == b.end() || (x != a.end() && x->key <= y->key);
    const std::uint64_t key = from_a ? x->key : y->key;
    std::int64_t left_a = 0;
    std::int64_t left_b = 0;
    const auto in_key = [&](const auto& it, const auto& all) { return it != all.end() && it->key == key; };
    while (in_key(x, a) || in_key(y, b)) {
      if (!in_key(y, b) || (in_key(x, a) && before(*x, *y))) {
        ++left_a;
        ++x;
      } else if (!in_key(x, a) || before(*y, *x)) {
        ++left_b;
        ++y;
      } else {
        ++diff.common;
        ++x;
        ++y;
      }
    }
    const std::int64_t changed = key == 0 ? 0 : std::min(left_a, left_b);
    diff.changed += changed;
    diff.only_a += left_a - changed;
    diff.only_b += left_b - changed;
  }
}

/// What order and labels are told by.
struct Fingerprint {
  std::string rows;
  std::string labels;
};

Fingerprint fingerprint_of(const OpenBank& bank, std::int64_t rows_per_block) {
  DigestStream rows;
  DigestStream labels;
  for_each_block(bank, rows_per_block, [&](const BankBlock& block) {
    // Row by row: blocks of two banks need not end at the same row.
    for (const RowDigest& digest : digest_rows(block)) {
      rows.update(std::as_bytes(std::span(&digest.low, 1)));
      rows.update(std::as_bytes(std::span(&digest.high, 1)));
    }
    labels.update({static_cast<const std::byte*>(block.labels.const_data_ptr()), block.labels.nbytes()});
  });
  return {rows.hex(), labels.hex()};
}

}  // namespace

BankDiff diff_banks(const OpenBank& a, const OpenBank& b, BankMemory memory) {
  BankDiff diff;
  diff.rows_a = a.layout().filled();
  diff.rows_b = b.layout().filled();

  // Half of the memory holds digests, the other half the rows that they are made of, of one bank at a time.
  const std::int64_t for_digests = memory.left() / 2;
  memory.reserve(for_digests, "comparing rows");
  const auto digest_bytes = static_cast<std::int64_t>(sizeof(RowDigest));
  const std::int64_t most = std::max<std::int64_t>(1, for_digests / (2 * digest_bytes));
  // Example: 96 MiB are left. 48 MiB for digests are 1048576 times 48 bytes, so two banks of a million rows are
  // compared in 2 parts, and each bank is read twice for that and once more for its order.
  const auto parts = static_cast<std::uint64_t>(1 + (diff.rows_a + diff.rows_b) / most);
  const auto block_rows = [&](const OpenBank& bank) {
    return memory.fitting(bank.bytes_while_reading() + digest_bytes);
  };
  for (std::uint64_t part = 0; part < parts; ++part) {
    compare_parts(sorted_part(a, part, parts, block_rows(a)), sorted_part(b, part, parts, block_rows(b)), diff);
  }
  // An id, a step and bytes may be equal though the numbers that the bytes mean are not, or what their scores mean.
  const bool are_alike = a.bank().dtype == b.bank().dtype && a.bank().length == b.bank().length;
  if (!are_alike && diff.common > 0) {
    diff.only_a += diff.common;
    diff.only_b += diff.common;
    diff.common = 0;
  }
  const Fingerprint of_a = fingerprint_of(a, block_rows(a));
  const Fingerprint of_b = fingerprint_of(b, block_rows(b));
  diff.same_order = of_a.rows == of_b.rows && are_alike;
  diff.same_labels = of_a.labels == of_b.labels;
  return diff;
}

}  // namespace negatron
