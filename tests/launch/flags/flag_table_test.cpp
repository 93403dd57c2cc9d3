#include "launch/flags/flag_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "launch/flags/field_names.h"
#include "launch/flags/typed_fields.h"
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
  EXPECT_EQ(refusal({"stray"}), "'stray' is no flag; flags are written --name value.");
  EXPECT_EQ(refusal({"--frobnicate", "3"}), "unknown flag --frobnicate; --help lists all flags.");
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
  // A third of what was typed may change, but one letter always; all of it never.
  EXPECT_EQ(nearest_name("moshi", {"mochi"}), "mochi");
  EXPECT_EQ(nearest_name("mosha", {"mochi"}), std::nullopt);
  EXPECT_EQ(nearest_name("tua", {"tau"}), "tau");
  EXPECT_EQ(nearest_name("uatxy", {"tauxy"}), std::nullopt);
  EXPECT_EQ(nearest_name("abcdef", {"abcdxy"}), "abcdxy");
  EXPECT_EQ(nearest_name("abcdef", {"abcxyz"}), std::nullopt);
  EXPECT_EQ(nearest_name("t", {"s"}), std::nullopt);
  EXPECT_EQ(nearest_name("", {"abc", "d"}), std::nullopt);
  EXPECT_EQ(nearest_name("quiet", {"seed"}), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
}

TEST(PretrainFlags, NamesOfTheFieldAreKnown) {
  const auto answer = [](const std::string& typed) -> std::string {
    PretrainArguments asked;
    try {
      pretrain_flags(asked).parse({typed, "1"});
    } catch (const UsageError& error) {
      return std::string(error.what()).substr(("unknown flag " + typed).size());
    }
    return "accepted";
  };
  EXPECT_EQ(answer("--batch-size"), ", did you mean --global-batch?");
  EXPECT_EQ(answer("--learning_rate"), ", did you mean --lr?");
  EXPECT_EQ(answer("--workers"), ", did you mean --loader-threads?");
  EXPECT_EQ(answer("--temperature"), ", did you mean --tau?");
  EXPECT_EQ(answer("--queue-size"), ", did you mean --bank-rows?");
  EXPECT_EQ(answer("--momentum"), ", did you mean --sgd-momentum or --key-momentum?");
  EXPECT_EQ(answer("--moco-m"), ", did you mean --key-momentum?");
  EXPECT_EQ(answer("--pretrained"), ", did you mean --init?");
  // A section of a file, and another spelling.
  EXPECT_EQ(answer("--optimizer.lr"), ", did you mean --lr?");
  EXPECT_EQ(answer("--bank_rows"), ", did you mean --bank-rows?");
  EXPECT_EQ(answer("--wandb"), "; --help lists all flags.");
  EXPECT_EQ(answer("--frobnicate"), "; --help lists all flags.");
}

TEST(PretrainFlags, EveryNameThatTheFieldIsToldIsAFlag) {
  PretrainArguments request;
  std::ostringstream completions;
  pretrain_flags(request).print_completions(completions);
  for (const std::string& ours : flags_with_other_names()) {
    EXPECT_NE(completions.str().find("--" + ours), std::string::npos) << ours;
  }
}

TEST(FieldNames, AMethodIsAPreset) {
  for (const char* name : {"moco", "MoCo-v2", "mocov2", "moco_v2"}) {
    EXPECT_EQ(preset_of(name), "launch/presets/moco-v2.ini") << name;
  }
  EXPECT_EQ(preset_of("SimCLR"), "launch/presets/simclr.ini");
  EXPECT_EQ(preset_of("dcl"), "");
  EXPECT_EQ(refusal({"--config", "moco-v3"}),
            "--config: cannot read 'moco-v3'; did you mean launch/presets/moco-v3.ini?");
  for (const char* flag : {"--objective", "--sampler"}) {
    PretrainArguments asked;
    try {
      pretrain_flags(asked).parse({flag, "simclr"});
      ADD_FAILURE() << flag << " takes a method";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("launch/presets/simclr.ini"), std::string::npos) << error.what();
    }
  }
  // These are an objective and a sampler as well.
  PretrainArguments asked;
  EXPECT_TRUE(pretrain_flags(asked).parse({"--objective", "byol", "--sampler", "mochi"}));
}

TEST(FlagTable, CompletionsAreItsFlagsAndTheValuesThatAreKnown) {
  Options options;
  std::string device = "cpu";
  FlagTable table = table_of(options);
  table.add("device", offering(&device, {"cpu", "cuda"}), "device");
  std::ostringstream lines;
  table.print_completions(lines);
  EXPECT_EQ(lines.str(), "--help\n--config\n--rows\n--tau\n--mask on off\n--name\n--channels\n--device cpu cuda\n");
  std::vector<std::string> words;
  table.words(&words);
  lines.str("");
  table.print_completions(lines);
  EXPECT_EQ(lines.str().substr(0, 6), "FILES\n");
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
