#include "launch/pretrain/pretrain_flags.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/snapshots/bank_file.h"
#include "runtime/training/contrast_setup.h"
#include "tests/launch/flags/ini_file.h"

namespace negatron {
namespace {

using testing::IniFile;

TEST(PretrainFlags, EveryOptionSurvivesTheIni) {
  PretrainArguments request;
  const IniFile file(pretrain_flags(request).ini());
  PretrainArguments read;
  FlagTable table = pretrain_flags(read);
  EXPECT_TRUE(table.parse({"--config", file.path(), "--global-batch", "240", "--max-steps", "50", "--seed", "1",
                           "--precision", "fp32", "--run-dir", "somewhere"}));
  EXPECT_EQ(read.options.global_batch, 240);
  EXPECT_EQ(read.options.max_steps, 50);
  EXPECT_EQ(read.options.seed, 1u);
  EXPECT_EQ(read.options.precision, Precision::kFp32);
  EXPECT_EQ(read.run_directory, "somewhere");
  EXPECT_NO_THROW(read.options.validate(4));
}

/// Every flag whose value has a type of its own, with a value that is not its default.
const std::vector<std::string> kTypedFlags = {
    "--device",         "cuda",    "--precision",         "fp64",     "--cpu-isa",   "portable",
    "--snapshot-every", "3epochs", "--on-usr1",           "continue", "--on-term",   "leave",
    "--head-norm",      "none",    "--momentum-schedule", "cosine",   "--negatives", "bank-and-batch",
    "--bank-fill",      "empty",   "--bank-dtype",        "fp16",     "--optimizer", "lars"};

TEST(PretrainFlags, ValuesOfTheirOwnTypesSurviveTheIni) {
  PretrainArguments typed;
  FlagTable table = pretrain_flags(typed);
  table.parse(kTypedFlags);
  EXPECT_EQ(typed.options.precision, Precision::kFp64);
  EXPECT_EQ(typed.options.head_norm, HeadNorm::kNone);
  EXPECT_EQ(typed.options.negatives, NegativeSource::kBankAndBatch);
  EXPECT_EQ(typed.options.bank_dtype, at::kHalf);
  EXPECT_FALSE(typed.options.snapshots.leaves_on_usr1);
  const IniFile file(table.ini());
  PretrainArguments read;
  FlagTable again = pretrain_flags(read);
  again.parse({"--config", file.path()});
  EXPECT_EQ(again.ini(), table.ini());
  for (std::size_t i = 0; i < kTypedFlags.size(); i += 2) {
    const std::string line = "\n" + kTypedFlags[i].substr(2) + " = " + kTypedFlags[i + 1] + "\n";
    EXPECT_NE(again.ini().find(line), std::string::npos) << line;
  }
}

/// Numbers with which an inner part overflowed, or ended a run that had begun.
const std::vector<std::pair<std::string, std::string>> kBeyond = {{"--bank-rows", "4294967296"},
                                                                  {"--bank-rows", "9223372036854775807"},
                                                                  {"--lr", "1e300"},
                                                                  {"--lr", "0"},
                                                                  {"--tau", "1e-40"},
                                                                  {"--weight-decay", "1e300"},
                                                                  {"--epochs", "9223372036854775807"},
                                                                  {"--threads", "3000000000"},
                                                                  {"--loader-threads", "100000"},
                                                                  {"--bank-threads", "-2"},
                                                                  {"--telemetry-top", "9223372036854775807"},
                                                                  {"--pool-grid", "100000"},
                                                                  {"--collective-time-limit", "1e10"},
                                                                  {"--collective-time-limit", "0"},
                                                                  {"--snapshot-every", "99999999999min"},
                                                                  {"--global-batch", "4294967296"},
                                                                  {"--image-size", "1000000"},
                                                                  {"--width", "1000000"},
                                                                  {"--hue", "0.6"},
                                                                  {"--knn-temperature", "0"}};

TEST(PretrainFlags, RefuseNumbersThatCannotWorkBeforeAnythingIsMade) {
  for (const auto& [flag, value] : kBeyond) {
    PretrainArguments request;
    try {
      pretrain_flags(request).parse({flag, value});
      ADD_FAILURE() << flag << " took " << value;
    } catch (const std::exception& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(flag), 0U) << text;
      EXPECT_NE(text.find("'" + value + "'"), std::string::npos) << text;
    }
  }
}

TEST(PretrainFlags, RefuseANameThatAValueHasNot) {
  for (std::size_t i = 0; i < kTypedFlags.size(); i += 2) {
    PretrainArguments request;
    FlagTable table = pretrain_flags(request);
    try {
      table.parse({kTypedFlags[i], "sometimes"});
      ADD_FAILURE() << kTypedFlags[i] << " took it";
    } catch (const std::exception& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(kTypedFlags[i]), 0U) << text;
      EXPECT_NE(text.find("sometimes"), std::string::npos) << text;
    }
  }
}

TEST(PretrainOptions, RefuseWhatCannotWork) {
  const auto message = [](auto change, int ranks = 1) -> std::string {
    PretrainOptions options;
    change(options);
    try {
      options.validate(ranks);
      resolve_contrast(options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  const auto names = [](const std::string& text, const char* flag) { return text.find(flag) != std::string::npos; };
  EXPECT_EQ(message([](PretrainOptions&) {}), "");
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.bank_rows = 255; }), "--bank-rows"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.global_batch = 3; }, 4), "--global-batch"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.objective = "moco"; }), "--objective"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.tau = 0.0; }), "--tau"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.tau = std::nan(""); }), "--tau"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.momentum_start = 1.5; }), "--key-momentum"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.learn_tau = true, o.tau = 0.005; }), "--learn-tau"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.encoder.strides = {1}; }), "--encoder-"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.learning_rate = -1.0; }), "--lr"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.optimizer.weight_decay = -1.0; }), "--weight-decay"));
  EXPECT_TRUE(names(message([](PretrainOptions& o) { o.warmup_epochs = 1e300; }), "--warmup-epochs"));
}

/// What the options are refused with; empty where they are not.
std::string refusal_of(const PretrainOptions& options) {
  try {
    resolve_contrast(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// The options with a sampler and all that it needs.
PretrainOptions with_sampler(const SamplerDescription& sampler, PretrainOptions options) {
  options.sampler = sampler.name;
  options.allow_oracle = true;
  options.sample_types = options.sample_counts = "given";
  const auto needs = [&](Need need) {
    return std::find(sampler.needs.begin(), sampler.needs.end(), need) != sampler.needs.end();
  };
  if (needs(Need::kOwnRows)) options.bank_kind = BankKind::kMemory;
  if (needs(Need::kIndex)) options.bank_kind = BankKind::kIndex;
  if (sampler.makes_positives) options.objective = "supcon";
  return options;
}

TEST(PretrainOptions, RawOutputIsRefusedByWhatSaysSoAndByNothingElse) {
  PretrainOptions raw;
  raw.head.length = RowLength::kAsMade;
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    PretrainOptions options = raw;
    options.objective = objective.name;
    const std::string refused = refusal_of(options);
    if (objective.why_unit_rows == nullptr) {
      EXPECT_EQ(refused, "") << objective.name;
    } else {
      EXPECT_EQ(refused, "--head-output raw does not go with --objective " + objective.name + ": " +
                             objective.why_unit_rows + ". Leave --head-output unit, or choose another.");
    }
  }
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    const std::string refused = refusal_of(with_sampler(sampler, raw));
    EXPECT_EQ(refused.empty(), sampler.why_unit_rows == nullptr) << sampler.name << ": " << refused;
    EXPECT_TRUE(refused.empty() || refused.find("raw does not go with --sampler " + sampler.name) != std::string::npos);
  }
  raw.bank_kind = BankKind::kLearned;
  EXPECT_NE(refusal_of(raw).find("--head-output raw does not go with --bank-kind learned"), std::string::npos);
}

TEST(PretrainOptions, DistancesAreRefusedByWhatSaysSoAndByNothingElse) {
  PretrainOptions far;
  far.head.length = RowLength::kDistance;
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    for (const NegativeSource source : objective.sources) {
      PretrainOptions options = far;
      options.objective = objective.name;
      options.negatives = source;
      const std::string refused = refusal_of(options);
      const char* products = why_inner_products(objective, source);
      const char* reason = objective.why_unit_rows != nullptr ? objective.why_unit_rows : products;
      const std::string where = objective.name + " over " + name_of(source) + ": " + refused;
      EXPECT_EQ(refused.empty(), reason == nullptr) << where;
      if (reason == nullptr) continue;
      EXPECT_EQ(refused.find("--head-output distance does not go with --objective " + objective.name), 0U) << where;
      EXPECT_NE(refused.find(reason), std::string::npos) << where;
    }
  }
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    const std::string refused = refusal_of(with_sampler(sampler, far));
    EXPECT_EQ(refused.empty(), sampler.why_unit_rows == nullptr && sampler.name != "ance") << sampler.name << refused;
    EXPECT_TRUE(refused.empty() ||
                refused.find("distance does not go with --sampler " + sampler.name) != std::string::npos);
  }
}

TEST(PretrainOptions, DistancesAreRefusedWithOptionsThatAreMeantForProducts) {
  PretrainOptions far;
  far.head.length = RowLength::kDistance;
  const auto refused_with = [&](const std::function<void(PretrainOptions&)>& change) {
    PretrainOptions options = far;
    change(options);
    return refusal_of(options);
  };
  const auto says = [&](const std::function<void(PretrainOptions&)>& change, const char* words) {
    return refused_with(change).find(words) != std::string::npos;
  };
  EXPECT_EQ(refused_with([](PretrainOptions&) {}), "");
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    EXPECT_TRUE(says([&](PretrainOptions& o) { o.bank_dtype = type; }, "take --bank-dtype fp32"));
    EXPECT_EQ(refused_with([&](PretrainOptions& o) { o.bank_dtype = type, o.precision = Precision::kFp64; }), "");
  }
  EXPECT_TRUE(says([](PretrainOptions& o) { o.batch_order = BatchOrder::kSimilar; }, "--batch-order similar: it"));
  EXPECT_TRUE(says(
      [](PretrainOptions& o) {
        o.sampler = "multi-modal", o.sample_types = "given", o.sampler_options = "type-scales=1/0.8";
      },
      "a factor of type-scales"));
  for (const BankKind kind : {BankKind::kMemory, BankKind::kLearned, BankKind::kIndex, BankKind::kParametric}) {
    EXPECT_EQ(refused_with([&](PretrainOptions& o) { o.bank_kind = kind; }), "") << kind_text(kind);
  }
  EXPECT_EQ(refused_with([](PretrainOptions& o) { o.bank_kind = BankKind::kMemory, o.bank_per_view = true; }), "");
}

TEST(PretrainOptions, RawOutputWarnsOfRandomRowsAndOfATemperature) {
  PretrainOptions options;
  options.head.length = RowLength::kAsMade;
  const auto warnings = [&options] { return contrast_warnings(options, resolve_contrast(options)); };
  ASSERT_EQ(warnings().size(), 2U);
  EXPECT_NE(warnings()[0].find("--bank-fill empty"), std::string::npos);
  EXPECT_NE(warnings()[1].find("--tau 0.2"), std::string::npos);
  options.tau = 1.0;
  options.bank_fill = BankFill::kEmpty;
  EXPECT_EQ(warnings().size(), 0U);
  options.objective = "n-pair";
  options.tau = 0.2;
  EXPECT_EQ(warnings().size(), 0U) << "it has no temperature, and its negatives are the batch";
  options = {};
  options.head.length = RowLength::kDistance;
  ASSERT_EQ(warnings().size(), 1U) << "a temperature is as good as another: it is the variance of a Gaussian";
  EXPECT_EQ(warnings()[0].find("--head-output distance with --bank-fill random"), 0U);
  options.bank_fill = BankFill::kEmpty;
  EXPECT_EQ(warnings().size(), 0U);
}

}  // namespace
}  // namespace negatron
