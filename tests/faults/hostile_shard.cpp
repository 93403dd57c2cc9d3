#include "tests/faults/hostile_shard.h"

#include <limits>

#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/manifest.h"
#include "samplers/bank/ring_order.h"
#include "tests/faults/hostile_manifest.h"
#include "tests/faults/hostile_snapshots.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

/// One in so many numbers is odd.
constexpr std::size_t kRarely = 8;

std::size_t one_of(std::mt19937& random, std::size_t count) {
  return static_cast<std::size_t>(random()) % count;
}

/// [rows, width], some of it what is no number, or no direction.
at::Tensor odd_reals(std::int64_t rows, std::int64_t width, at::ScalarType type, std::mt19937& random) {
  constexpr double kOdd[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             0.0,
                             1e300,
                             1e-320};
  at::Tensor values = at::full({rows, width}, 0.5, at::kDouble);
  auto* value = values.mutable_data_ptr<double>();
  const bool all = one_of(random, kRarely) == 0;
  const double odd = kOdd[one_of(random, std::size(kOdd))];
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    if (all || one_of(random, kRarely) == 0) value[i] = odd;
  }
  return values.to(type);
}

void make_odd(const at::Tensor& numbers, std::mt19937& random) {
  constexpr std::int64_t kOdd[] = {
      -1, -2, 0, 1 << 20, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  auto* number = numbers.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    if (one_of(random, kRarely) == 0) number[i] = kOdd[one_of(random, std::size(kOdd))];
  }
}

/// As another bank has it, which may have been given the wrong name.
SavedBank another_bank(SavedBank bank, std::mt19937& random) {
  constexpr at::ScalarType kTypes[] = {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16};
  constexpr RowOptimizerKind kOptimizers[] = {RowOptimizerKind::kSgd, RowOptimizerKind::kAdagrad,
                                              RowOptimizerKind::kAdam};
  switch (one_of(random, 4)) {
    case 0:
      bank.kind = hostile_runs()[one_of(random, hostile_runs().size())].kind;
      break;
    case 1:
      bank.dtype = kTypes[one_of(random, std::size(kTypes))];
      break;
    case 2:
      bank.row_optimizer = kOptimizers[one_of(random, std::size(kOptimizers))];
      break;
    default:
      bank.width += static_cast<std::int64_t>(one_of(random, 3)) - 1;
  }
  return bank;
}

}  // namespace

void write_odd_shard(const fs::path& snapshot, std::mt19937& random) {
  PosixFileLayer files;
  const Manifest manifest = read_manifest(files, snapshot);
  const SavedBank whole = manifest.banks[one_of(random, manifest.banks.size())];
  const SavedBank bank = one_of(random, 2) == 0 ? whole : another_bank(whole, random);
  const int name = static_cast<int>(one_of(random, static_cast<std::size_t>(whole.shards)));
  const int shard = one_of(random, kRarely) == 0 ? 0 : name;
  std::int64_t sequence = 0;
  ShardSources sources;
  sources.blocks = [&](std::int64_t rows) {
    BankBlock block = make_block(rows, bank.width, bank.dtype);
    block.vectors.copy_(odd_reals(rows, bank.width, bank.dtype, random));
    block.sequence.copy_(at::arange(sequence, sequence + rows, at::kLong));
    sequence += rows;
    for (const at::Tensor& numbers : {block.ids, block.labels, block.steps}) {
      numbers.fill_(1);
      make_odd(numbers, random);
    }
    if (one_of(random, 2) == 0) make_odd(block.sequence, random);
    return block;
  };
  if (rows_learn(bank.kind)) {
    const auto odd = [&](const LearnedDataset& dataset) {
      return [&bank, &random, width = dataset.width](std::int64_t rows) {
        return odd_reals(rows, width, learned_type(bank), random);
      };
    };
    sources.raw = odd(raw_dataset(bank));
    sources.moments = odd(moments_dataset(bank));
  }
  const fs::path file = snapshot / bank_file_name(name, whole.shards, whole.name);
  fs::remove(file);
  write_bank_file(files, file, bank, shard, sources, {});
  renew_digests(snapshot);
}

}  // namespace negatron::testing
