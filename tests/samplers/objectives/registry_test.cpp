#include "samplers/objectives/registry.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

ObjectiveArguments arguments_of(const ObjectiveDescription& description, const std::string& options = "") {
  ObjectiveArguments arguments;
  arguments.options = MethodOptions("--objective " + description.name, description.options, options);
  return arguments;
}

TEST(ObjectiveRegistry, MakesEveryObjectiveThatItDescribes) {
  std::set<std::string> names;
  for (const ObjectiveDescription& description : objective_descriptions()) {
    SCOPED_TRACE(description.name);
    EXPECT_TRUE(names.insert(description.name).second);
    EXPECT_FALSE(description.paper.empty() || description.summary.empty() || description.sources.empty());
    EXPECT_NE(make_objective(description.name, arguments_of(description)), nullptr);
    EXPECT_EQ(describe_objective(description.name).name, description.name);
    for (const MethodOption& option : description.options) {
      EXPECT_TRUE(!std::holds_alternative<std::string>(option.default_value) || !option.choices.empty());
    }
  }
  for (const char* name :
       {"info-nce", "nt-xent", "info-nce-in-batch", "dcl", "dclw", "debiased", "hcl", "supcon", "soft-nn", "nce", "neg",
        "siglip", "contrastive", "triplet", "margin-ranking", "n-pair", "lifted", "byol"}) {
    EXPECT_EQ(names.count(name), 1u) << name;
  }
}

TEST(ObjectiveRegistry, OffersTheNearestName) {
  try {
    describe_objective("info-mce");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean info-nce?"), std::string::npos) << error.what();
  }
  EXPECT_THROW(make_objective("hcll", {}), std::invalid_argument);
}

TEST(ObjectiveRegistry, SaysWhatAnObjectiveNeeds) {
  EXPECT_TRUE(describe_objective("supcon").needs_labels);
  EXPECT_TRUE(describe_objective("soft-nn").needs_labels);
  EXPECT_TRUE(describe_objective("byol").needs_predictor);
  EXPECT_TRUE(describe_objective("n-pair").queries_only);
  EXPECT_EQ(describe_objective("nt-xent").sources, std::vector{NegativeSource::kBatch});
  EXPECT_EQ(describe_objective("info-nce-in-batch").sources, std::vector{NegativeSource::kBankAndBatch});
  EXPECT_EQ(describe_objective("byol").sources, std::vector{NegativeSource::kNone});
}

TEST(ObjectiveRegistry, SaysWhatTakesUnitRowsOnly) {
  Anchors anchors;
  anchors.vectors = anchors.partners = at::eye(3, at::kFloat);
  anchors.positive = at::ones({3}, at::kFloat);
  anchors.global_count = 3;
  for (const ObjectiveDescription& description : objective_descriptions()) {
    const auto objective = make_objective(description.name, arguments_of(description));
    for (const ObjectiveTerm& term : objective->terms(anchors)) {
      const bool is_distance = term.term.shape >= TermShape::kMinusDistance;
      EXPECT_TRUE(!is_distance || description.why_unit_rows != nullptr) << description.name << " is of distances";
    }
  }
  for (const char* name : {"n-pair", "neg", "nce", "info-nce", "siglip", "margin-ranking"}) {
    EXPECT_EQ(describe_objective(name).why_unit_rows, nullptr) << name;
  }
  for (const char* name :
       {"byol", "triplet", "triplet-in-batch", "contrastive", "lifted", "soft-nn", "hcl", "debiased", "advir"}) {
    EXPECT_NE(describe_objective(name).why_unit_rows, nullptr) << name;
  }
}

TEST(ObjectiveRegistry, SaysWhatTakesNoDistances) {
  for (const char* name : {"info-nce", "nce", "neg", "siglip", "supcon", "margin-ranking"}) {
    for (const NegativeSource source : {NegativeSource::kBank, NegativeSource::kBankAndBatch}) {
      EXPECT_EQ(why_inner_products(describe_objective(name), source), nullptr) << name;
    }
    const ObjectiveDescription& objective = describe_objective(name);
    EXPECT_EQ(why_inner_products(objective, NegativeSource::kBatch) == nullptr, objective.queries_only) << name;
  }
  for (const char* name : {"n-pair", "whole-data", "dcl", "dclw"}) {
    EXPECT_NE(why_inner_products(describe_objective(name), NegativeSource::kBank), nullptr) << name;
  }
}

TEST(ObjectiveRegistry, RefusesOptionsThatExcludeEachOther) {
  const ObjectiveDescription& ranking = describe_objective("margin-ranking");
  EXPECT_THROW(make_objective("margin-ranking", arguments_of(ranking, "rank-weight=log,reduction=all")),
               std::invalid_argument);
  EXPECT_NE(make_objective("margin-ranking", arguments_of(ranking, "rank-weight=log")), nullptr);
}

TEST(ObjectiveRegistry, WarnsOfAMovementThatRoundingWouldShowIn) {
  const auto warnings_of = [](const std::string& options, double tau) {
    ObjectiveArguments arguments = arguments_of(describe_objective("advir"), options);
    arguments.temperature.tau = tau;
    return make_objective("advir", arguments)->warnings(128);
  };
  EXPECT_TRUE(warnings_of("variant=virtual", 0.2).empty());
  EXPECT_TRUE(warnings_of("epsilon=0.05", 0.01).empty());
  ASSERT_EQ(warnings_of("variant=virtual,epsilon=0.05", 0.01).size(), 1u);
  EXPECT_NE(warnings_of("variant=virtual,epsilon=0.05", 0.01).front().find("epsilon above 0.04"), std::string::npos);
}

TEST(ObjectiveRegistry, ParametersAreThoseThatAreLearned) {
  ObjectiveArguments arguments = arguments_of(describe_objective("siglip"), "bias-from-bank=on");
  arguments.bank_rows = 1000;
  const auto siglip = make_objective("siglip", arguments);
  ASSERT_EQ(siglip->parameters().size(), 2u);
  EXPECT_NEAR(siglip->parameters()[0].item<double>(), 2.302585, 1e-5);
  EXPECT_NEAR(siglip->parameters()[1].item<double>(), -6.907755, 1e-5);
  EXPECT_NEAR(siglip->temperature(), 0.1, 1e-6);

  ObjectiveArguments nce = arguments_of(describe_objective("nce"), "log-z=learned,log-z-value=3");
  EXPECT_EQ(make_objective("nce", nce)->parameters().size(), 1u);
  nce.temperature.learned = true;
  EXPECT_EQ(make_objective("nce", nce)->parameters().size(), 2u);
  EXPECT_TRUE(make_objective("info-nce", arguments_of(describe_objective("info-nce")))->parameters().empty());
}

}  // namespace
}  // namespace negatron
