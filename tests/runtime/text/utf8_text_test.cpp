#include "runtime/text/utf8_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {
namespace {

/// What launch/RUNNING.md tells a user of Python to do.
std::string turned_back(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0) {
      bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

TEST(Utf8Text, WhatIsUtf8StaysAndAllElseCanBeTurnedBack) {
  for (const char* text : {"", "runs/first", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "tab\there", "a\\b"}) {
    EXPECT_EQ(utf8_text(text), text);
  }
  EXPECT_EQ(utf8_text("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(utf8_text("\\xe9"), "\\x5cxe9");
  // Overlong, half of a pair, beyond the last character, cut off.
  EXPECT_EQ(utf8_text("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(utf8_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(utf8_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(utf8_text("\xe2\x82"), "\\xe2\\x82");
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{'a', static_cast<char>(first), static_cast<char>(second), 'x'};
      EXPECT_EQ(turned_back(utf8_text(bytes)), bytes);
      EXPECT_NO_THROW(nlohmann::json(utf8_text(bytes)).dump());
    }
  }
}

TEST(Utf8Text, NoControlCharacterReachesATerminal) {
  EXPECT_EQ(terminal_text("a\x1b[2J\nb\tc\x7f\r"), "a\\x1b[2J\nb\tc\\x7f\\x0d");
  EXPECT_EQ(terminal_text("\xc2\x9b"
                          "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(shown_text("a\nb"), "a\\x0ab");
}

TEST(Utf8Text, LongTextsAreCutBetweenCharacters) {
  EXPECT_EQ(shown_text("abcdef", 6), "abcdef");
  EXPECT_EQ(shown_text("abcdefg", 6), "abcdef...");
  EXPECT_EQ(shown_text("abcd\xe2\x82\xac", 5), "abcd...");
  EXPECT_LT(shown_text(std::string(1 << 20, '\x1b')).size(), 500U);
}

TEST(JsonText, BytesInValuesAndNamesAreEscaped) {
  const nlohmann::ordered_json value = {{"path", "caf\xe9"}, {"hosts", {{"h\xff", 2}}}, {"list", {"\x80", 1.5}}};
  const std::string text = json_text(value);
  const auto read = nlohmann::json::parse(text);
  EXPECT_EQ(read["path"], "caf\\xe9");
  EXPECT_EQ(read["hosts"]["h\\xff"], 2);
  EXPECT_EQ(read["list"][0], "\\x80");
  EXPECT_EQ(read["list"][1], 1.5);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace negatron
