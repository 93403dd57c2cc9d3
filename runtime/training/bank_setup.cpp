#include "runtime/training/bank_setup.h"

namespace negatron {

at::ScalarType row_type(const PretrainOptions& options, Precision precision) {
  return precision == Precision::kFp64 ? at::kDouble : options.bank_dtype;
}

int shard_count(const PretrainOptions& options, const Communicator& comm) {
  return options.shards > 0 ? static_cast<int>(options.shards) : comm.size();
}

BankOptions bank_options(const PretrainOptions& options, const ComputePlace& place) {
  BankOptions bank;
  bank.rows = options.bank_rows;
  bank.width = options.width_of_rows();
  bank.dtype = row_type(options, place.precision);
  bank.device = place.device;
  bank.fill = options.bank_fill;
  bank.seed = options.seed;
  bank.global_batch = options.global_batch;
  bank.kind = options.bank_kind;
  if (rows_learn(options.bank_kind)) bank.row_optimizer = options.rows.kind;
  bank.length = options.head.length;
  return bank;
}

BankLayout layout_of_bank(const PretrainOptions& options, int ranks) {
  return {options.bank_rows, ranks, rows_stay(options.bank_kind) ? options.bank_rows : options.global_batch};
}

std::unique_ptr<Bank> make_bank(const PretrainOptions& options, const ComputePlace& place, const Communicator& group,
                                std::size_t number) {
  // Far from the seeds that people choose, so that no two banks begin with the same random rows.
  constexpr std::uint64_t kBetweenSeeds = 0x9E3779B97F4A7C15;
  BankOptions bank = bank_options(options, place);
  bank.seed += number * kBetweenSeeds;
  return std::make_unique<Bank>(bank, group.rank(), group.size());
}

}  // namespace negatron
