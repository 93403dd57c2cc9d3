#include "runtime/evaluation/alignment_uniformity.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "tests/runtime/evaluation/reference_metrics.h"

namespace negatron::testing {
namespace {

const CommunicatorOptions kChecked{.check = true};

TEST(AlignmentUniformity, GivesTheReferenceValuesOnAnyNumberOfRanks) {
  const ReferenceMetrics reference;
  const at::Tensor x = ReferenceMetrics::unit_matrix(reference.shared().at("q_raw"));
  const at::Tensor y = ReferenceMetrics::unit_matrix(reference.shared().at("k_pos_raw"));
  const at::Tensor bank = ReferenceMetrics::unit_matrix(reference.shared().at("bank_raw"));
  const nlohmann::json& expected = reference.metrics().at("expected");
  for (const int ranks : {1, 2, 3, 4}) {  // three pairs: a rank without any at 4
    run_ranks(ranks, kChecked, [&](Communicator& comm) {
      const Range p = share(x.size(0), ranks, comm.rank());
      const Range b = share(bank.size(0), ranks, comm.rank());
      EXPECT_NEAR(alignment(comm, x.slice(0, p.begin, p.end), y.slice(0, p.begin, p.end)),
                  expected.at("alignment").get<double>(), 1e-10);
      EXPECT_NEAR(uniformity(comm, bank.slice(0, b.begin, b.end)), expected.at("uniformity").get<double>(), 1e-10);
    });
  }
}

TEST(AlignmentUniformity, AgreesWithTheDefinitionBeyondOneTile) {
  at::manual_seed(2);
  at::Tensor rows = at::randn({1300, 3}, at::kDouble);
  rows /= rows.norm(2, 1, true);
  const at::Tensor squares = (rows.unsqueeze(0) - rows.unsqueeze(1)).square().sum(2);  // [n, n]
  const double sum = squares.mul(-3.0).exp().sum().item<double>() - 1300.0;            // without the diagonal
  const double expected = std::log(sum / (1300.0 * 1299.0));
  run_ranks(2, kChecked, [&](Communicator& comm) {
    at::set_num_threads(1);
    const Range own = share(1300, 2, comm.rank());
    EXPECT_NEAR(uniformity(comm, rows.slice(0, own.begin, own.end), 3.0), expected, 1e-10);
  });
}

TEST(AlignmentUniformity, CollapsedRowsAndTooFewRows) {
  run_ranks(2, kChecked, [&](Communicator& comm) {
    const at::Tensor same = at::ones({5, 1}, at::kDouble);
    EXPECT_NEAR(uniformity(comm, same), 0.0, 1e-12);
    EXPECT_NEAR(alignment(comm, same, same), 0.0, 1e-12);
    const at::Tensor one = at::ones({comm.rank() == 0 ? 1 : 0, 1}, at::kDouble);
    EXPECT_TRUE(std::isnan(uniformity(comm, one)));
    const at::Tensor none = at::ones({0, 1}, at::kDouble);
    EXPECT_TRUE(std::isnan(alignment(comm, none, none)));
  });
}

}  // namespace
}  // namespace negatron::testing
