// Sums over the whole bank beside scores: the Gram matrix and the gradient of trainable rows.

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/random_rows.h"
#include "samplers/exchange/rows/gram.h"
#include "samplers/exchange/rows/row_gradient.h"

namespace negatron {
namespace {

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kWidth = 3;

at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size()).contiguous();
}

/// A bank of kRows of which the first batch of 5 has partly expired: with holes.
Bank bank_with_holes(const Communicator& comm, const at::Tensor& keys) {
  Bank bank({kRows, kWidth, at::kDouble, at::kCPU, BankFill::kEmpty, 0, 5}, comm.rank(), comm.size());
  for (std::int64_t step = 0; step < 2; ++step) {
    const at::Tensor batch = keys.narrow(0, 5 * step, 5);
    bank.enqueue(own_part(comm, batch), own_part(comm, at::arange(5, at::kLong)), at::Tensor(), step, 5);
  }
  return bank;
}

TEST(Gram, IsTheSumOverValidRowsOfAllRanks) {
  const at::Tensor keys = random_unit_rows(1, 0, 10, kWidth);
  const at::Tensor counted = keys.narrow(0, 10 - kRows, kRows);
  const at::Tensor queries = random_unit_rows(2, 0, 4, kWidth);
  for (const int ranks : {1, 2, 3, 4}) {
    run_ranks(ranks, {}, [&](Communicator& comm) {
      at::set_num_threads(1);
      const Bank bank = bank_with_holes(comm, keys);
      const at::Tensor gram = weighted_gram(comm, bank, at::Tensor());
      EXPECT_TRUE(at::allclose(gram, counted.t().mm(counted), 1e-13, 1e-14));
      const at::Tensor weights = at::full({bank.shard().rows.vectors.size(0)}, 0.25, at::kDouble);
      EXPECT_TRUE(at::allclose(weighted_gram(comm, bank, weights), 0.25 * gram, 1e-13, 1e-14));
      const at::Tensor energy = queries.mm(counted.t()).square().sum(1);
      EXPECT_TRUE(at::allclose(gram_energy(queries, gram), energy, 1e-13, 1e-14));
      EXPECT_EQ(gram_energy(queries.to(at::kFloat), gram).scalar_type(), at::kFloat);
    });
  }
}

TEST(RowGradient, IsThatOfTheMeanInfoNce) {
  constexpr double kScale = 5.0;
  const at::Tensor raw = random_unit_rows(1, 0, kRows, kWidth) * at::arange(1, kRows + 1).unsqueeze(1).to(at::kDouble);
  const at::Tensor leaf = raw.clone().requires_grad_();
  const at::Tensor rows = leaf / leaf.norm(2, {1}, true);
  const at::Tensor queries = random_unit_rows(2, 0, 5, kWidth);
  const at::Tensor keys = random_unit_rows(3, 0, 5, kWidth);
  const at::Tensor positive = (queries * keys).sum(1, true);
  const at::Tensor log_denominator = (at::cat({positive, queries.mm(rows.t())}, 1) * kScale).logsumexp(1);
  (log_denominator - kScale * positive.squeeze(1)).mean().backward();

  for (const int ranks : {1, 2, 3}) {
    run_ranks(ranks, {}, [&](Communicator& comm) {
      at::set_num_threads(1);
      Rows own;
      own.vectors = own_part(comm, rows.detach());
      own.validity = at::zeros({own.vectors.size(0)});
      own.validity[0] = -1.0 / 0.0;
      const RowGradientQueries from{
          own_part(comm, queries), own_part(comm, log_denominator.detach()), {share_sizes(5, comm.size()), 0}};
      const at::Tensor got = row_gradient(comm, own, own_part(comm, raw.norm(2, {1})), from, kScale);
      const at::Tensor expected = own_part(comm, leaf.grad());
      EXPECT_TRUE(
          at::allclose(got.narrow(0, 1, got.size(0) - 1), expected.narrow(0, 1, got.size(0) - 1), 1e-11, 1e-13));
      EXPECT_EQ(got[0].abs().sum().item<double>(), 0.0);
    });
  }
}

}  // namespace
}  // namespace negatron
