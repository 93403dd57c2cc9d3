#include "runtime/encoders/norms/piecewise_batch_norm.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/norms/global_batch_norm.h"
#include "tests/runtime/encoders/plain_batch_norm_pieces.h"

// That it is the norm of the whole batch is tested with the others, in global_batch_norm_test.cpp.
namespace negatron {
namespace {

constexpr std::int64_t kWidth = 5;

TEST(PiecewiseBatchNorm, SendsAsMuchInPiecesAndTakesThemWhereAtenHasThem) {
  EXPECT_EQ(batch_norm_pieces_of(at::kCPU), nullptr);
  EXPECT_NE(batch_norm_pieces_of(at::kCUDA), nullptr);
  run_ranks(2, {}, [](Communicator& comm) {
    const testing::PlainBatchNormPieces pieces;
    std::vector<std::map<std::string, Traffic>> sent;
    for (const BatchNormPieces* used :
         {static_cast<const BatchNormPieces*>(nullptr), static_cast<const BatchNormPieces*>(&pieces)}) {
      GlobalBatchNorm norm(kWidth, comm, /*counts_batches=*/false, used);
      comm.traffic().start_step();
      norm.forward(at::rand({3, kWidth}).requires_grad_()).sum().backward();
      sent.push_back(comm.traffic().step());
    }
    for (const char* operation : {"all_gather", "all_reduce"}) {
      EXPECT_EQ(sent[1].at(operation).calls, 1) << operation;
      EXPECT_EQ(sent[1].at(operation).bytes_sent, sent[0].at(operation).bytes_sent) << operation;
    }
  });
}

TEST(PiecewiseBatchNorm, ManyEmptySharesMoveNothing) {
  run_ranks(4, {}, [](Communicator& comm) {
    const testing::PlainBatchNormPieces pieces;
    const at::Tensor all = at::arange(3 * kWidth, at::kDouble).sin().view({3, kWidth});
    // The last rank has it all; then nobody has anything.
    for (const std::int64_t rows : {3, 0}) {
      const at::Tensor own = comm.rank() == 3 ? all.slice(0, 0, rows) : all.slice(0, 0, 0);
      const NormalizedBatch batch =
          piecewise_batch_norm(own, at::ones({kWidth}, at::kDouble), at::zeros({kWidth}, at::kDouble), comm, pieces);
      EXPECT_EQ(batch.output.sizes(), own.sizes());
      EXPECT_TRUE(batch.mean.isfinite().all().item<bool>());
      EXPECT_NEAR(batch.count.item<double>(), static_cast<double>(rows), 1e-12);
      if (rows > 0) {
        EXPECT_TRUE(at::allclose(batch.mean, all.mean(0), 1e-12, 1e-12));
        EXPECT_TRUE(at::allclose(batch.variance, all.var(0, /*unbiased=*/false), 1e-12, 1e-12));
      }
    }
  });
}

}  // namespace
}  // namespace negatron
