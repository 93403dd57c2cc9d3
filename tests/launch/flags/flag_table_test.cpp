#include "launch/flags/flag_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "launch/pretrain/pretrain_flags.h"
#include "runtime/training/contrast_setup.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

struct Options {
  std::int64_t rows = 4096;
  double tau = 0.2;
  bool mask = true;
  std::string name;
  std::vector<std::int64_t> channels = {64, 128};
};

FlagTable table_of(Options& options) {
  FlagTable table;
  table.group("Bank");
  table.add("rows", &options.rows, "keys");
  table.add("tau", &options.tau, "temperature");
  table.group("Other");
  table.add("mask", &options.mask, "mask");
  table.add("name", &options.name, "name");
  table.add("channels", &options.channels, "widths");
  return table;
}

std::string refusal(const std::vector<std::string>& arguments) {
  Options options;
  FlagTable table = table_of(options);
  try {
    table.parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

class IniFile {
 public:
  explicit IniFile(const std::string& text)
      : path_(std::filesystem::path(::testing::TempDir()) / ("flags-" + std::to_string(getpid()) + ".ini")) {
    std::ofstream(path_) << text;
  }
  ~IniFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(FlagTable, FlagsOverrideTheFileWhichOverridesDefaults) {
  const IniFile file("# comment\nrows = 100\ntau = 0.07\n");
  Options options;
  FlagTable table = table_of(options);
  EXPECT_TRUE(table.parse({"--config", file.path(), "--tau", "0.5", "--mask=off", "--channels", "8,16,32"}));
  EXPECT_EQ(options.rows, 100);
  EXPECT_EQ(options.tau, 0.5);
  EXPECT_FALSE(options.mask);
  EXPECT_EQ(options.channels, (std::vector<std::int64_t>{8, 16, 32}));
}

TEST(FlagTable, ASwitchMayStandAloneOrTakeAValue) {
  for (const std::vector<std::string>& on : {std::vector<std::string>{"--mask", "--rows", "3"},
                                             {"--mask", "on", "--rows", "3"},
                                             {"--rows", "3", "--mask"}}) {
    Options options;
    options.mask = false;
    FlagTable table = table_of(options);
    EXPECT_TRUE(table.parse(on));
    EXPECT_TRUE(options.mask);
    EXPECT_EQ(options.rows, 3);
  }
  Options options;
  FlagTable table = table_of(options);
  EXPECT_TRUE(table.parse({"--mask", "off", "--rows", "3"}));
  EXPECT_FALSE(options.mask);
}

TEST(FlagTable, TheResolvedIniReadsBackToTheSameValues) {
  Options options;
  options.tau = 1.0 / 3.0;
  options.rows = 7;
  options.mask = false;
  options.name = "a name";
  const IniFile file(table_of(options).ini());
  Options read;
  FlagTable table = table_of(read);
  table.parse({"--config", file.path()});
  EXPECT_EQ(read.tau, options.tau);
  EXPECT_EQ(read.rows, 7);
  EXPECT_FALSE(read.mask);
  EXPECT_EQ(read.name, "a name");
  EXPECT_EQ(table.ini(), table_of(options).ini());
}

TEST(FlagTable, RefusalsAreOneSentenceThatNamesTheFlag) {
  EXPECT_EQ(refusal({"--rwos", "3"}), "unknown flag --rwos, did you mean --rows?");
  EXPECT_EQ(refusal({"--rows", "3.5"}), "--rows takes a whole number, not '3.5'.");
  EXPECT_EQ(refusal({"--rows", "99999999999999999999"}), "--rows takes a whole number, not '99999999999999999999'.");
  EXPECT_EQ(refusal({"--tau", "warm"}), "--tau takes a number, not 'warm'.");
  EXPECT_EQ(refusal({"--tau", "inf"}), "--tau takes a finite number, not 'inf'.");
  EXPECT_EQ(refusal({"--mask=perhaps"}), "--mask takes on or off, not 'perhaps'.");
  EXPECT_EQ(refusal({"--channels", "8,,16"}), "--channels takes whole numbers separated by commas, not ''.");
  EXPECT_EQ(refusal({"--config", "/nowhere.ini"}), "--config: cannot read '/nowhere.ini'.");
  EXPECT_NE(refusal({"--rows"}), "");
  EXPECT_NE(refusal({"--rows", "1", "--rows", "2"}), "");
  EXPECT_NE(refusal({"stray"}), "");
  // No abbreviations.
  EXPECT_NE(refusal({"--row", "3"}), "");
}

TEST(FlagTable, AnUnknownNameInTheFileIsRefusedWithTheFile) {
  const IniFile file("rows = 3\ntua = 0.1\n");
  const std::string message = refusal({"--config", file.path()});
  EXPECT_NE(message.find("tua"), std::string::npos) << message;
  EXPECT_NE(message.find("--tau"), std::string::npos) << message;
  EXPECT_NE(message.find(file.path()), std::string::npos) << message;
}

TEST(FlagTable, HelpListsEveryFlagWithItsDefault) {
  Options options;
  FlagTable table = table_of(options);
  EXPECT_FALSE(table.parse({"--help"}));
  std::ostringstream help;
  table.print_help(help, "usage\n");
  for (const char* text : {"Bank", "--rows", "[4096]", "--tau", "[0.2]", "[on]", "[64,128]"}) {
    EXPECT_NE(help.str().find(text), std::string::npos) << text;
  }
}

TEST(NearestName, IsTheOneWithTheFewestEdits) {
  EXPECT_EQ(nearest_name("globl-batch", {"epochs", "global-batch", "bank-rows"}), "global-batch");
  EXPECT_EQ(nearest_name("", {"abc", "d"}), "d");
}

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
const std::vector<std::string> kTypedFlags = {"--device",
                                              "cuda",
                                              "--precision",
                                              "fp64",
                                              "--cpu-isa",
                                              "portable",
                                              "--snapshot-every",
                                              "3epochs",
                                              "--on-usr1",
                                              "continue",
                                              "--head-norm",
                                              "none",
                                              "--momentum-schedule",
                                              "cosine",
                                              "--negatives",
                                              "bank-and-batch",
                                              "--bank-fill",
                                              "empty",
                                              "--bank-dtype",
                                              "fp16",
                                              "--optimizer",
                                              "lars"};

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

}  // namespace
}  // namespace negatron
