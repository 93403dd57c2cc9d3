// The published numbers of tests/data/reference_cases.json, on 1 to 4 ranks. With 3 queries, rank 3 of 4 has none.

#include <fstream>
#include <mutex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "comm/share.h"
#include "comm/thread_communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/pass/blocked_pass.h"
#include "tests/samplers/objectives/trial.h"

namespace negatron {
namespace {

constexpr double kTolerance = 1e-10;
/// The file rounds to 12 digits; sums of a few such numbers near 1 may be off by this much.
constexpr double kRounding = 1e-11;

const nlohmann::json& cases() {
  static const nlohmann::json file = nlohmann::json::parse(std::ifstream(NEGATRON_TEST_DATA "/reference_cases.json"));
  return file;
}

nlohmann::json expected(const std::string& name) {
  for (const nlohmann::json& entry : cases().at("cases")) {
    if (entry.at("name") == name) return entry.at("expected");
  }
  throw std::runtime_error("no reference case " + name);
}

at::Tensor matrix(const nlohmann::json& values) {
  std::vector<at::Tensor> rows;
  for (const nlohmann::json& row : values) rows.push_back(at::tensor(row.get<std::vector<double>>(), at::kDouble));
  return at::stack(rows);
}

at::Tensor vector(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble);
}

at::Tensor shared_input(const char* name) {
  return matrix(cases().at("shared_inputs").at(name));
}

at::Tensor unit(const at::Tensor& raw) {
  return raw / raw.norm(2, {1}, true);
}

testing::TrialResult run(const std::string& objective, double tau, int ranks) {
  testing::Trial trial;
  trial.objective.name = objective;
  trial.objective.temperature.tau = tau;
  trial.bank = unit(shared_input("bank_raw"));
  trial.steps = {{shared_input("q_raw"), shared_input("k_pos_raw"), at::arange(3, at::kLong)}};
  return run_trial(trial, ranks).at(0);
}

void expect_close(const at::Tensor& actual, const at::Tensor& wanted, const char* what) {
  EXPECT_TRUE(at::allclose(actual, wanted, kTolerance, kRounding)) << what << "\n" << actual << "\n" << wanted;
}

TEST(ReferenceCases, InfoNce) {
  for (const auto& [name, tau] :
       {std::pair("infonce_tau0.2", 0.2), {"infonce_tau0.07", 0.07}, {"infonce_tau0.01", 0.01}}) {
    const nlohmann::json want = expected(name);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      SCOPED_TRACE(::testing::Message() << name << " on " << ranks);
      const testing::TrialResult got = run("info-nce", tau, ranks);
      const double loss = want.at("loss_mean").get<double>();
      EXPECT_NEAR(got.loss, loss, kTolerance * loss);
      expect_close(got.log_sum_exp, vector(want.at("lse_neg")), "lse_neg");
      expect_close(got.mean, matrix(want.at("attn_out")), "attn_out");
      // The file's gradients are per query, ours of the mean over 3.
      expect_close(3.0 * got.unit_query_gradient, matrix(want.at("grad_q_unit")), "grad_q_unit");
      expect_close(3.0 * got.raw_query_gradient, matrix(want.at("grad_q_raw")), "grad_q_raw");
      EXPECT_TRUE(at::equal(got.raw_key_gradient, at::zeros_like(got.raw_key_gradient)));
    }
  }
}

TEST(ReferenceCases, Similarities) {
  const nlohmann::json want = expected("similarities");
  const testing::TrialResult got = run("info-nce", 0.2, 2);
  const at::Tensor positive = vector(want.at("s_pos"));
  EXPECT_NEAR(got.positive_similarity, positive.sum().item<double>(), kRounding);
  const at::Tensor hardest = matrix(want.at("s_neg")).amax(1);
  EXPECT_EQ(got.correct, (positive > hardest).sum().item<std::int64_t>());
  const at::Tensor mean = matrix(expected("infonce_tau0.2").at("attn_out"));
  EXPECT_NEAR(got.negative_similarity, (unit(shared_input("q_raw")) * mean).sum().item<double>(), kRounding);
}

TEST(ReferenceCases, InfoNceShards) {
  for (const auto& [name, ranks] : {std::pair("infonce_shards_P2", 2), {"infonce_shards_P4", 4}}) {
    const nlohmann::json want = expected(name);
    const at::Tensor rows = unit(shared_input("bank_raw"));
    PassRequest request;
    request.queries = unit(shared_input("q_raw"));
    request.scales = {5.0};
    for (int rank = 0; rank < ranks; ++rank) {
      Bank bank({8, 4, at::kDouble, at::kCPU, BankFill::kEmpty, 0, 8}, rank, ranks);
      const Range own = share(8, ranks, rank);
      bank.enqueue(rows.narrow(0, own.begin, own.size()), at::full({own.size()}, -1, at::kLong), at::Tensor(), 0, 8);
      const PassResult got = BlockedPass().run(bank.shard().rows, request);
      for (std::int64_t query = 0; query < 3; ++query) {
        const auto q = static_cast<std::size_t>(query);
        const auto r = static_cast<std::size_t>(rank);
        EXPECT_NEAR(got.log_sum_exp[0][query].item<double>(), want.at("lse_per_rank")[q][r].get<double>(), kRounding);
        expect_close(got.mean[0][query], vector(want.at("attn_out_per_rank")[q][r]), name);
      }
    }
  }
}

TEST(ReferenceCases, NtXent) {
  for (const auto& [name, tau] : {std::pair("nt_xent_tau0.5", 0.5), {"nt_xent_tau0.1", 0.1}}) {
    const nlohmann::json want = expected(name);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      SCOPED_TRACE(::testing::Message() << name << " on " << ranks);
      const testing::TrialResult got = run("nt-xent", tau, ranks);
      const double loss = want.at("loss_mean").get<double>();
      EXPECT_NEAR(got.loss, loss, kTolerance * loss);
      expect_close(at::cat({got.unit_query_gradient, got.unit_key_gradient}), matrix(want.at("grad_z_unit")), "grad_z");
    }
  }
}

}  // namespace
}  // namespace negatron
