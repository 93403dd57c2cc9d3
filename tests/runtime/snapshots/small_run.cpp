#include "tests/runtime/snapshots/small_run.h"

#include <cmath>

#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"

namespace negatron::testing {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::uint64_t kKeySeed = 8;
// A run that waits long to be killed makes more steps than fp16 has numbers.
constexpr double kMostHalf = 65536.0;

at::Tensor key_labels(Range sequence) {
  return at::arange(sequence.begin, sequence.end, at::kLong).remainder(4) - 1;
}

}  // namespace

at::Tensor SmallRun::key_vectors(Range sequence, std::int64_t width, RowLength length) {
  const at::Tensor rows = random_unit_rows(kKeySeed, sequence.begin, sequence.size(), vector_width(length, width));
  if (length == RowLength::kUnit) return rows;
  const at::Tensor sizes = at::arange(sequence.begin, sequence.end, at::kDouble).remainder(5).unsqueeze(1);
  return rows_of_vectors(rows * sizes, length);
}

at::Tensor SmallRun::key_ids(Range sequence) {
  return at::arange(sequence.begin, sequence.end, at::kLong).remainder(11) - 1;
}

BankOptions SmallRun::options() const {
  // One kind of rows that learn remembers more than the other.
  const RowOptimizerKind optimizer = kind == BankKind::kParametric ? RowOptimizerKind::kAdam : RowOptimizerKind::kSgd;
  const std::int64_t together = rows_stay(kind) ? rows : batches.front();
  return {rows, width, dtype, at::kCPU, fill, kSeed, together, kind, length, optimizer};
}

Bank SmallRun::bank(int rank, int ranks) const {
  return {options(), rank, ranks};
}

void SmallRun::train(Bank& bank, std::int64_t first, std::int64_t last) const {
  if (rows_stay(kind)) {
    for (std::int64_t step = first; step < last; ++step) change(bank, step);
    return;
  }
  std::int64_t start = 0;
  for (std::int64_t step = 0; step < last; ++step) {
    const std::int64_t size = batches[static_cast<std::size_t>(step) % batches.size()];
    if (step >= first) {
      const Range own = share(size, bank.layout().ranks(), bank.rank());
      const Range keys{start + own.begin, start + own.end};
      bank.enqueue(key_vectors(keys, width, length), key_ids(keys), key_labels(keys), step, size);
    }
    start += size;
  }
}

void SmallRun::change(Bank& bank, std::int64_t step) const {
  const Range own = share(rows, bank.layout().ranks(), bank.rank());
  const at::Tensor vectors = key_vectors({step * rows + own.begin, step * rows + own.end}, width, length);
  if (rows_learn(kind)) {
    RowOptimizer optimizer;
    optimizer.kind = options().row_optimizer;
    bank.train({{}, vectors}, optimizer, step);
    return;
  }
  // Every third row of a memory bank, all of an index.
  const std::int64_t apart = kind == BankKind::kMemory ? 3 : 1;
  const at::Tensor changed = at::arange(0, own.size(), apart, at::kLong);
  bank.replace(changed, vectors.index_select(0, changed), key_labels({own.begin, own.end}).index_select(0, changed),
               step);
}

PlainQueue SmallRun::queue(std::int64_t steps) const {
  PlainQueue queue(rows);
  const at::Tensor none = at::full({rows}, -1, at::kLong);
  if (fill == BankFill::kRandom) {
    const at::Tensor random = random_unit_rows(kSeed, 0, rows, vector_width(length, width));
    queue.enqueue(rows_of_vectors(random, length).to(dtype), none, none, -1);
  }
  std::int64_t start = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t size = batches[static_cast<std::size_t>(step) % batches.size()];
    const Range keys{start, start + size};
    queue.enqueue(key_vectors(keys, width, length).to(dtype), key_ids(keys), key_labels(keys), step);
    start += size;
  }
  return queue;
}

TrainerState SmallRun::state(std::int64_t steps) const {
  TrainerState state;
  const auto value = static_cast<double>(steps);
  state.tensors = {{"query.weight", at::full({3, 2}, value, at::kFloat)},
                   {"alone", at::full({}, value, at::kDouble)},
                   {"none", at::empty({0, 4})},
                   {"flags", at::arange(steps, steps + 3, at::kLong).remainder(2).to(at::kBool)},
                   {"half", at::full({2}, 0.5 * std::fmod(value, kMostHalf), at::kHalf)},
                   {"brain", at::full({2}, value, at::kBFloat16)},
                   {"generator", at::full({4}, steps % 256, at::kByte)}};
  state.text = {{"config", "steps = " + std::to_string(steps)}, {"empty", ""}};
  state.numbers = {{"steps", steps}, {"rate", 0.1 * value}};
  return state;
}

}  // namespace negatron::testing
