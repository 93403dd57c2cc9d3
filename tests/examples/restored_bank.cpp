// Asks a saved bank for the rows nearest to embeddings, on any number of ranks; nothing is trained.
//   mpirun -n 4 restored_bank PATH QUERIES TOP      PATH: a snapshot, or a run; QUERIES: a matrix of unit rows (.npy,
//   ...)
// Rank 0 prints "QUERY: SLOT SAMPLE SCORE SLOT SAMPLE SCORE ..." of each, best first; sample -1 where a row has none.
#include <cstdio>
#include <string>

#include "comm/mpi/mpi_communicator.h"
#include "comm/share.h"
#include "runtime/matrices/matrix_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/named_snapshot.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/pass/selection/selection_key.h"

namespace {

/// The bank of the snapshot, sharded over `ranks`, whatever number of them saved it. Collective.
negatron::Bank restored(negatron::Communicator& ranks, const std::string& path) {
  negatron::PosixFileLayer files;
  const negatron::Snapshot snapshot = negatron::open_named_snapshot(ranks, files, path, {}).snapshot;
  if (snapshot.manifest.banks.empty()) throw std::invalid_argument("There is no bank in '" + path + "'.");
  const negatron::SavedBank& saved = snapshot.manifest.bank();
  negatron::Bank bank(negatron::options_of(saved), ranks.rank(), ranks.size());
  negatron::load_bank(snapshot, bank, {});
  return bank;
}

/// [K] int64: the sample of each slot, -1 for none. Collective.
at::Tensor samples_of_slots(negatron::Communicator& ranks, const negatron::Bank& bank) {
  const at::Tensor samples = at::full({bank.capacity()}, -1, at::kLong);
  const at::Tensor& slots = bank.shard().rows.slots;
  const at::Tensor held = slots.ge(0);
  samples.index_put_({slots.masked_select(held)}, bank.shard().ids.masked_select(held));
  ranks.all_reduce(samples, negatron::ReduceOp::kMax);
  return samples;
}

void print_nearest(negatron::Communicator& ranks, const std::string& path, const std::string& queries, int top) {
  const negatron::Bank bank = restored(ranks, path);
  const negatron::PosixFileLayer files;
  const std::unique_ptr<negatron::MatrixFile> matrix = negatron::open_matrix(files, queries, {});

  negatron::QueryBatch batch;  // each rank asks for its share of the queries
  batch.shares.sizes = negatron::share_sizes(matrix->rows(), ranks.size());
  const negatron::Range own = negatron::share(matrix->rows(), ranks.size(), ranks.rank());
  batch.queries = matrix->read_rows(own.begin, own.size()).to(at::kFloat);
  negatron::NegativeRequest request;
  request.sets.clear();  // no loss: no query meets a row
  request.exclude_own_sample = false;
  request.report_hardest = top;
  negatron::BankExchange exchange;
  const negatron::NegativeResult result = exchange.run(ranks, bank, batch, request, {});

  const at::Tensor hardest = ranks.all_gather(result.hardest, batch.shares.sizes);  // [queries, top], best first
  const at::Tensor slots = negatron::slots_of_keys(hardest), scores = negatron::scores_of_keys(hardest);
  const at::Tensor samples = samples_of_slots(ranks, bank);
  for (std::int64_t query = 0; ranks.rank() == 0 && query < slots.size(0); ++query) {
    std::printf("%lld:", static_cast<long long>(query));
    for (std::int64_t i = 0; i < slots.size(1) && slots[query][i].item<std::int64_t>() >= 0; ++i) {
      const auto slot = slots[query][i].item<std::int64_t>();
      const auto sample = static_cast<long long>(samples[slot].item<std::int64_t>());
      std::printf(" %lld %lld %.6f", static_cast<long long>(slot), sample, scores[query][i].item<double>());
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  negatron::Environment mpi(&argc, &argv);
  if (argc != 4) {
    std::fprintf(stderr, "usage: restored_bank PATH QUERIES TOP\n");
    mpi.finish();
    return 2;
  }
  try {
    const auto ranks = negatron::make_mpi_communicator(mpi, {});
    print_nearest(*ranks, argv[1], argv[2], std::stoi(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", mpi.rank(), error.what());
    mpi.abort(1);
  }
  mpi.finish();
}
