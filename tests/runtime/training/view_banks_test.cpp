// A memory bank for each view of a sample: queries of either view meet the other one's rows, by the definition and the
// same on any number of ranks.

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/training/trainer.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

PretrainOptions with_view_banks(const char* objective) {
  PretrainOptions options = with_memory(small_options(objective));
  options.bank_per_view = true;
  return options;
}

TEST(ViewBanks, DoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "nce", "hcl"}) {
    PretrainOptions options = with_view_banks(objective);
    if (options.objective == "nce") options.objective_options = "log-z=first-batch";
    expect_same_losses(options, Precision::kFp64, 1e-10);
    expect_same_losses(options, Precision::kFp32, 1e-4, {3});
    options.sampler = "top-n";
    options.sampler_options = "n=9,skip=1";
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
  }
  PretrainOptions in_parts = with_view_banks("info-nce");
  in_parts.accumulate = 2;
  expect_same_losses(in_parts, Precision::kFp64, 1e-10, {3});
}

at::Tensor blended_by_definition(const at::Tensor& rows, const at::Tensor& ids, const at::Tensor& features, double m) {
  const at::Tensor mixed = m * rows.index_select(0, ids) + (1.0 - m) * features;
  return rows.index_copy(0, ids, mixed / mixed.norm(2, {1}, true));
}

TEST(ViewBanks, AreMetByTheOtherViewAndTakeTheirOwn) {
  const PretrainOptions options = with_view_banks("info-nce");
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto data = rectangles();
    const BatchSource source = small_batches(options, comm);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                    {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
    const std::vector<NamedBank> banks = trainer.banks();
    ASSERT_EQ(banks.size(), 2U);
    ASSERT_EQ(banks[0].name, "view-b");
    ASSERT_EQ(banks[1].name, "view-a");
    const at::Tensor& of_b = banks[0].bank->shard().rows.vectors;
    const at::Tensor& of_a = banks[1].bank->shard().rows.vectors;
    EXPECT_FALSE(at::equal(of_a, of_b)) << "both begin with the same random rows";
    StepTimer timer;
    for (std::int64_t step = 0; step < 7; ++step) {
      const Batch batch = source.build(step / source.steps_per_epoch(), step % source.steps_per_epoch());
      at::Tensor a, b;
      {
        const at::NoGradGuard no_grad;
        a = trainer.encoders().query(batch.view_a);
        b = trainer.encoders().query(batch.view_b);
      }
      const auto loss_of = [&](const at::Tensor& queries, const at::Tensor& rows) {
        return at::cross_entropy_loss(queries.mm(rows.t()) / options.tau, batch.ids).item<double>();
      };
      const double loss = 0.5 * (loss_of(a, of_b) + loss_of(b, of_a));
      const at::Tensor next_a = blended_by_definition(of_a, batch.ids, a, options.bank_momentum);
      const at::Tensor next_b = blended_by_definition(of_b, batch.ids, b, options.bank_momentum);
      timer.start_step();
      EXPECT_NEAR(trainer.step(batch, timer).loss, loss, 1e-12 * loss) << "step " << step;
      EXPECT_TRUE(at::allclose(of_a, next_a, 1e-13, 1e-13)) << "step " << step;
      EXPECT_TRUE(at::allclose(of_b, next_b, 1e-13, 1e-13)) << "step " << step;
    }
  });
}

TEST(ViewBanks, AreRefusedWhereTheyMeanNothing) {
  PretrainOptions options = small_options("info-nce");
  options.bank_per_view = true;
  EXPECT_NE(refusal_of(options).find("--bank-per-view needs --bank-kind memory"), std::string::npos);
  options = with_view_banks("info-nce");
  EXPECT_EQ(refusal_of(options).find("--bank-per-view"), std::string::npos) << refusal_of(options);
  options.sampler = "nscaching";
  EXPECT_NE(refusal_of(options).find("keeps slots of one bank"), std::string::npos);
  options.sampler = "mochi";
  options.sampler_options = "n=16,s=8,s-prime=4,clusters=6,max-label-share=0.3";
  EXPECT_NE(refusal_of(options).find("has clusters of one"), std::string::npos) << refusal_of(options);
}

}  // namespace
}  // namespace negatron::testing
