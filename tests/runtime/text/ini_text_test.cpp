#include "runtime/text/ini_text.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

std::string value_in(const std::string& line, IniAuthor author = IniAuthor::kPerson) {
  const std::vector<IniSetting> settings = read_ini(line, author);
  return settings.size() == 1 ? settings.front().value : "not one setting";
}

std::string reason_of(const std::string& text) {
  try {
    read_ini(text, IniAuthor::kPerson);
  } catch (const IniError& error) {
    return std::to_string(error.line) + " " + error.reason;
  }
  return "nothing";
}

TEST(IniText, ReadsWhatPeopleWrite) {
  const std::vector<IniSetting> settings =
      read_ini("# first\r\n\n  tau=0.2  # warm\r\n[bank]\nrows = 7#\nname =\n", IniAuthor::kPerson);
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[0].line, 3U);
  EXPECT_EQ(settings[0].name, "tau");
  EXPECT_EQ(settings[0].value, "0.2");
  EXPECT_EQ(settings[1].name, "bank.rows");
  EXPECT_EQ(settings[1].value, "7");
  EXPECT_EQ(settings[2].value, "");
}

TEST(IniText, QuotesHoldAnyByte) {
  EXPECT_EQ(value_in(R"(x = " a # b = \" \\ \n\r\t\xFf\x00 "  # remark)"),
            std::string(" a # b = \" \\ \n\r\t\xff\0 ", 19));
  EXPECT_EQ(value_in(R"(x = "")"), "");
  EXPECT_EQ(value_in(R"(x = a "b")"), R"(a "b")");
}

TEST(IniText, RefusesALineThatSaysNothing) {
  EXPECT_EQ(reason_of("a = 1\nepochs\n"), "2 says 'epochs', expected name = value");
  EXPECT_EQ(reason_of("epochs # = 3\n").substr(0, 6), "1 says");
  for (const char* broken :
       {R"(x = "open)", R"(x = "a" b)", R"(x = "\q")", R"(x = "\x1")", R"(x = "\x1g")", R"(x = ")"}) {
    EXPECT_NE(reason_of(broken).find("no whole value between quotes"), std::string::npos) << broken;
  }
}

TEST(IniText, OfAProgramValuesAreAsTheyWere) {
  EXPECT_EQ(value_in("data = /a#b", IniAuthor::kProgram), "/a#b");
  EXPECT_EQ(value_in("data = \"a", IniAuthor::kProgram), "\"a");
  EXPECT_EQ(value_in("data = \"a\"", IniAuthor::kProgram), "a");
  EXPECT_TRUE(read_ini("nothing\n#x = 1\n", IniAuthor::kProgram).empty());
}

TEST(IniText, WritesQuotesOnlyWhereTheyAreNeeded) {
  for (const char* plain : {"0.5", "64,128", "runs/a b", "C:\\x", "läufe", "a\"b", "ring:n=3;k", "/a=b"}) {
    EXPECT_EQ(ini_value(plain), plain);
  }
  EXPECT_EQ(ini_value("a#b"), "\"a#b\"");
  EXPECT_EQ(ini_value(" a"), "\" a\"");
  EXPECT_EQ(ini_value("a\n\\\"\xff\x7f"), R"("a\n\\\"\xFF\x7F")");
  for (int byte = 1; byte < 256; ++byte) {
    for (const std::string& value :
         {std::string(1, static_cast<char>(byte)), "a" + std::string(2, static_cast<char>(byte)) + "b"}) {
      for (const IniAuthor author : {IniAuthor::kPerson, IniAuthor::kProgram}) {
        EXPECT_EQ(value_in("x = " + ini_value(value) + "\n", author), value) << byte;
      }
    }
  }
}

}  // namespace
}  // namespace negatron::testing
