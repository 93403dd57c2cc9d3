#include "samplers/negative_samplers/registry.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

SamplerArguments arguments_of(const SamplerDescription& sampler, const std::string& text) {
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler " + sampler.name, sampler.options, text);
  arguments.sample_types = at::tensor({0, 1, 2, -1}, at::kLong);
  arguments.sample_counts = at::tensor({3, 0, 1, 3, 9, 2, 0, 0}, at::kLong);
  arguments.width = 8;
  arguments.bank_rows = 8;
  return arguments;
}

std::string refusal(const std::string& name, const std::string& text) {
  try {
    make_sampler(name, arguments_of(describe_sampler(name), text));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SamplerRegistry, DescribesEverySamplerAndMakesItFromItsDefaults) {
  std::set<std::string> names;
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    EXPECT_TRUE(names.insert(sampler.name).second) << sampler.name << " twice";
    EXPECT_FALSE(sampler.paper.empty()) << sampler.name;
    EXPECT_FALSE(sampler.summary.empty()) << sampler.name;
    EXPECT_FALSE(sampler.effects.empty()) << sampler.name;
    for (const MethodOption& option : sampler.options) EXPECT_FALSE(option.help.empty()) << sampler.name;
    EXPECT_NE(make_sampler(sampler.name, arguments_of(sampler, "")), nullptr);
  }
}

TEST(SamplerRegistry, OffersTheNearestName) {
  try {
    describe_sampler("mochy");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean mochi?"), std::string::npos) << error.what();
  }
}

/// What makes vectors makes unit vectors, but for samples that were mined, which the encoder makes.
TEST(SamplerRegistry, SaysWhatTakesUnitRowsOnly) {
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    const bool makes_vectors =
        std::find(sampler.effects.begin(), sampler.effects.end(), Effect::kVectors) != sampler.effects.end();
    EXPECT_TRUE(!makes_vectors || sampler.mines != nullptr || sampler.why_unit_rows != nullptr) << sampler.name;
  }
  for (const char* name : {"semi-hard", "fn-elimination", "fn-attraction", "mochi", "daml", "negcut"}) {
    EXPECT_NE(describe_sampler(name).why_unit_rows, nullptr) << name;
  }
  for (const char* name : {"whole-bank", "top-n", "ring", "uniform", "dns", "warp", "softmax", "ance", "popularity"}) {
    EXPECT_EQ(describe_sampler(name).why_unit_rows, nullptr) << name;
  }
}

/// What makes vectors of the row's space, or searches the bank by its own rows, cannot do it with two numbers more.
TEST(SamplerRegistry, SaysWhatTakesNoDistances) {
  const auto reason = [](const std::string& name, const std::string& options) -> std::string {
    const SamplerDescription& sampler = describe_sampler(name);
    if (sampler.why_unit_rows != nullptr) return sampler.why_unit_rows;
    if (sampler.why_inner_products == nullptr) return "";
    return sampler.why_inner_products(MethodOptions("--sampler " + name, sampler.options, options));
  };
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    const bool makes_vectors =
        std::find(sampler.effects.begin(), sampler.effects.end(), Effect::kVectors) != sampler.effects.end();
    EXPECT_TRUE(!makes_vectors || !reason(sampler.name, "").empty()) << sampler.name;
  }
  EXPECT_NE(reason("multi-modal", "type-scales=1/0.8"), "");
  EXPECT_EQ(reason("multi-modal", "budgets=4/2"), "");
  for (const char* name : {"whole-bank", "top-n", "ring", "uniform", "dns", "warp", "softmax", "popularity"}) {
    EXPECT_EQ(reason(name, ""), "") << name;
  }
}

TEST(SamplerRegistry, RefusesOptionsThatExcludeEachOther) {
  EXPECT_EQ(refusal("top-n", "n=5,skip=5"), "--sampler top-n: skip must be below n.");
  EXPECT_EQ(refusal("top-n", "n=5,skip=2,draw=4"), "--sampler top-n: draw must not exceed n - skip.");
  EXPECT_EQ(refusal("mochi", "mode=no-fetch,max-label-share=0.5"),
            "--sampler mochi: max-label-share needs mode=fetch.");
  EXPECT_EQ(refusal("max-sampling", "m=9,candidates=8"),
            "--sampler max-sampling: candidates must be 0, or at least m.");
  EXPECT_EQ(refusal("softmax", "m=8,candidates=8"),
            "--sampler softmax: candidates must be 0, or more than m, the rows drawn of them.");
  EXPECT_EQ(refusal("semi-hard", "rule=below-margin,fallback=violator"),
            "--sampler semi-hard: rule=below-margin takes every violator already; leave fallback out.");
  EXPECT_EQ(refusal("ance", "top=5,draw=6"), "--sampler ance: draw must not exceed top.");
  EXPECT_EQ(refusal("ance", "draw=6,n=7"), "--sampler ance: n must not exceed draw.");
  EXPECT_EQ(refusal("nscaching", "m=6,n=5"), "--sampler nscaching: m must be at most n, the rows in a cache.");
}

TEST(SamplerRegistry, RefusesWhatDoesNotFitTheTypesOfSamples) {
  EXPECT_EQ(refusal("multi-modal", "budgets=4/4"),
            "--sampler multi-modal: budgets has 2 numbers, but --sample-types has 3 types.");
  EXPECT_EQ(refusal("multi-modal", "budgets=4/1.5/1"), "--sampler multi-modal: budgets are whole numbers of rows.");
  EXPECT_EQ(refusal("multi-modal", "budgets=0/0/0"), "--sampler multi-modal: one budget must be above 0.");
  EXPECT_EQ(refusal("multi-modal", "type-scales=1/1/0"), "--sampler multi-modal: type-scales must be above 0.");
  EXPECT_EQ(refusal("mochi", "n=9,budgets=4/4/4"), "--sampler mochi: budgets must add up to n.");
  EXPECT_EQ(refusal("mochi", "n=12,budgets=4/4/4,mode=no-fetch"), "--sampler mochi: budgets needs mode=fetch.");
  EXPECT_EQ(refusal("mochi", "skip-own-cluster=on"), "--sampler mochi: skip-own-cluster needs clusters.");
  SamplerArguments untyped = arguments_of(describe_sampler("multi-modal"), "");
  untyped.sample_types = at::Tensor();
  EXPECT_THROW(make_sampler("multi-modal", untyped), std::invalid_argument);
}

/// What the description says of the options is what the sampler then asks for.
TEST(SamplerRegistry, SaysWhichOptionsLeaveTheBankOut) {
  const Bank bank({8, 8, at::kFloat, at::kCPU, BankFill::kRandom, 0, 8, BankKind::kIndex}, 0, 1);
  std::set<std::string> able;
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    if (sampler.leaves_bank_out == nullptr) continue;
    able.insert(sampler.name);
    for (const bool meets : {true, false}) {
      const SamplerArguments arguments = arguments_of(sampler, meets ? "bank=on" : "bank=off");
      EXPECT_EQ(sampler.leaves_bank_out(arguments.options), meets ? "" : "bank=off") << sampler.name;
      EXPECT_EQ(make_sampler(sampler.name, arguments)->request(bank, {}).sets.empty(), !meets) << sampler.name;
    }
  }
  EXPECT_EQ(able, (std::set<std::string>{"ance", "daml", "negcut"}));
}

TEST(SamplerRegistry, SaysWhichOptionsTellTypesApart) {
  const SamplerDescription& mochi = describe_sampler("mochi");
  const auto tells = [&](const std::string& text) {
    return mochi.tells_types_apart(arguments_of(mochi, text).options);
  };
  EXPECT_FALSE(tells("n=4"));
  EXPECT_TRUE(tells("budgets=2/2"));
  EXPECT_TRUE(tells("type-scales=1/0.5"));
}

TEST(SamplerRegistry, OnlyTheOracleNeedsConsent) {
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    const bool asks =
        std::find(sampler.needs.begin(), sampler.needs.end(), Need::kOracleConsent) != sampler.needs.end();
    EXPECT_EQ(asks, sampler.name == "oracle") << sampler.name;
  }
}

TEST(Mochi, AdaptsToTheProxyAccuracyAndContinuesFromItsState) {
  const SamplerDescription& description = describe_sampler("mochi");
  const auto make = [&] {
    return make_sampler("mochi",
                        arguments_of(description, "n=8,s=100,s-prime=40,warmup-epochs=0,adapt=proxy,auto-n=on"));
  };
  const auto sampler = make();
  const Bank bank({16, 2, at::kFloat, at::kCPU, BankFill::kRandom, 0, 4}, 0, 1);
  const QueryBatch batch;
  sampler->observe({0, 1.0, 0.0, 0.0});
  EXPECT_FALSE(sampler->request(bank, batch).mixes.has_value()) << "no mixes while the proxy task fails";
  for (std::int64_t step = 1; step < 1000; ++step) sampler->observe({step, 1.0, 0.9, 0.0});
  const NegativeRequest request = sampler->request(bank, batch);
  ASSERT_TRUE(request.mixes.has_value());
  EXPECT_EQ(request.mixes->pairs, 100);
  EXPECT_EQ(request.mixes->query_mixes, 40);

  // A step that was skipped because it was not finite leaves no trace.
  const std::string before = sampler->state();
  sampler->observe({1000, std::nan(""), std::nan(""), 0.0});
  EXPECT_EQ(sampler->state(), before);

  const auto again = make();
  again->restore(sampler->state());
  for (std::int64_t step = 1000; step < 2000; ++step) {
    sampler->observe({step, 1.0, 0.3, 0.0});
    again->observe({step, 1.0, 0.3, 0.0});
    ASSERT_EQ(sampler->state(), again->state());
  }
}

}  // namespace
}  // namespace negatron
