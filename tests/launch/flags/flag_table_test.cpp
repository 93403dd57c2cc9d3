#include "launch/flags/flag_table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "tests/launch/flags/ini_file.h"

namespace negatron {
namespace {

using testing::IniFile;

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
  table.add("rows", within(&options.rows, 1, 5000), "keys");
  table.add("tau", within(&options.tau, 0.001, 100.0), "temperature");
  table.group("Other");
  table.add("mask", &options.mask, "mask");
  table.add("name", &options.name, "name");
  table.add("channels", within(&options.channels, 1, 512), "widths");
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
  for (const char* wrong : {"3.5", "99999999999999999999", "0", "5001", "12x", "", "-1"}) {
    EXPECT_EQ(refusal({"--rows", wrong}),
              "--rows takes a whole number from 1 to 5000, not '" + std::string(wrong) + "'.");
  }
  for (const char* wrong : {"warm", "inf", "nan", "1e300", "0", "-0.5"}) {
    EXPECT_EQ(refusal({"--tau", wrong}), "--tau takes a number from 0.001 to 100, not '" + std::string(wrong) + "'.");
  }
  EXPECT_EQ(refusal({"--mask=perhaps"}), "--mask takes on or off, not 'perhaps'.");
  EXPECT_EQ(refusal({"--channels", "8,,16"}),
            "--channels takes whole numbers separated by commas, each from 1 to 512, not ''.");
  EXPECT_EQ(refusal({"--channels", "8,513"}),
            "--channels takes whole numbers separated by commas, each from 1 to 512, not '513'.");
  EXPECT_EQ(refusal({"--config", "/nowhere.ini"}), "--config: cannot read '/nowhere.ini'.");
  EXPECT_EQ(refusal({"--rows"}), "--rows needs a value behind it.");
  EXPECT_EQ(refusal({"--rows", "1", "--rows", "2"}), "--rows is given more than once.");
  EXPECT_EQ(refusal({"--frobnicate", "3"}), "unknown flag --frobnicate; --help lists all flags.");
  // No abbreviations.
  EXPECT_NE(refusal({"--row", "3"}), "");
}

TEST(FlagTable, AWordInTheWrongPlaceIsNamedWithWhatItWasMeantToBe) {
  EXPECT_EQ(refusal({"stray"}),
            "'stray' is no flag and no flag's value; flags are written --name value, a value with blanks between "
            "quotes.");
  EXPECT_EQ(refusal({"--rows", "=", "2"}),
            "'=' stands alone behind --rows; write --rows VALUE or --rows=VALUE, without blanks around the '='.");
  EXPECT_EQ(refusal({"--name", "--rows", "3"}),
            "--name needs a value behind it, and '--rows' is the next flag; --name=--rows would be that value.");
  EXPECT_EQ(refusal({"-rows", "3"}), "'-rows' begins with one dash; flags have two: --rows.");
  EXPECT_EQ(refusal({"-x"}), "'-x' begins with one dash; flags are written --name value.");
  EXPECT_EQ(refusal({"rows=3"}), "'rows=3' is no flag without its dashes; did you mean --rows=3?");
  Options options;
  FlagTable table = table_of(options);
  std::vector<std::string> words;
  table.words(&words);
  EXPECT_TRUE(table.parse({"a", "--mask", "b", "--name", "-1", "--", "--rows", "-"}));
  EXPECT_EQ(words, (std::vector<std::string>{"a", "b", "--rows", "-"}));
  EXPECT_EQ(options.name, "-1");
  EXPECT_TRUE(table.parse({"--name=--rows"}));
  EXPECT_EQ(options.name, "--rows");
}

TEST(FlagTable, WhatReplacesARunIsNoSettingOfAFile) {
  const auto table_with = [](bool& dry, Options& options) {
    FlagTable table = table_of(options);
    table.add("dry-run", &dry, "look", FlagRole::kCommand);
    return table;
  };
  bool dry = true;
  Options options;
  EXPECT_EQ(table_with(dry, options).ini(), table_of(options).ini());
  const IniFile off("dry-run = off\nrows = 3\n");
  FlagTable table = table_with(dry, options);
  EXPECT_TRUE(table.parse({"--config", off.path()}));
  EXPECT_TRUE(dry) << "configurations of older versions hold it";
  EXPECT_EQ(options.rows, 3);
  const IniFile on("dry-run = on\n");
  EXPECT_THROW(table.parse({"--config", on.path()}), UsageError);
}

TEST(FlagTable, AnyTextSurvivesTheFile) {
  for (const std::string& name :
       {std::string("a#b"), std::string("\"quoted\""), std::string(" blanks "), std::string("two\nlines"),
        std::string("\xff\xfe bytes"), std::string("C:\\x"), std::string("tab\t"), std::string("# all"),
        std::string("\r"), std::string("läufe")}) {
    Options options;
    options.name = name;
    const IniFile file(table_of(options).ini());
    Options read;
    FlagTable table = table_of(read);
    table.parse({"--config", file.path()});
    EXPECT_EQ(read.name, name);
  }
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

}  // namespace
}  // namespace negatron
