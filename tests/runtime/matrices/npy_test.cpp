#include <gtest/gtest.h>

#include <fstream>

#include "runtime/matrices/matrix_file.h"
#include "runtime/matrices/npy_file.h"
#include "runtime/matrices/npy_header.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::TemporaryDirectory;

std::string header_refusal(const std::string& text) {
  return testing::refusal([&] { parse_npy_header(text); });
}

TEST(NpyHeader, WhatNumpyWrites) {
  NpyHeader header = parse_npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }       \n");
  EXPECT_EQ(header.dtype, at::kFloat);
  EXPECT_FALSE(header.fortran_order);
  EXPECT_EQ(header.shape, (std::vector<std::int64_t>{3, 4}));
  header = parse_npy_header("{\"shape\":(65536L,128L),\"fortran_order\":True,\"descr\":\"<f2\"}");
  EXPECT_EQ(header.dtype, at::kHalf);
  EXPECT_TRUE(header.fortran_order);
  EXPECT_EQ(header.shape, (std::vector<std::int64_t>{65536, 128}));
  EXPECT_EQ(parse_npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }").shape.size(), 1U);
  EXPECT_TRUE(parse_npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }").shape.empty());
}

TEST(NpyHeader, NothingElse) {
  const auto with = [](const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}";
  };
  const std::pair<std::string, const char*> cases[] = {
      {with("'|O'", "False", "(1, 1)"), "pickled objects"},
      {with("'>c8'", "False", "(1, 1)"), "'>c8'"},
      {with("'<V2'", "False", "(1, 1)"), "as numpy writes bfloat16; --read-as bf16"},
      {with("'<V4'", "False", "(1, 1)"), "'<f8' is expected"},
      {with("'<i8'", "False", "(1, 1)"), "'<i8'"},
      {with("[('a', '<f4')]", "False", "(1, 1)"), "records with fields"},
      {with("'<f4'", "Maybe", "(1, 1)"), "neither True nor False"},
      {with("'<f4'", "False", "(-1, 1)"), "no possible size"},
      {with("'<f4'", "False", "(99999999999999999999, 1)"), "no possible size"},
      {with("'<f4'", "False", "(1 2)"), "no ')'"},
      {with("'<f4'", "False", "(1, 2"), "no ')'"},
      {with("'<f4'", "False", "(1, 2)") + " import os", "after its end"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", "'descr' twice"},
      {"{'descr': '<f4', 'fortran_order': False}", "does not say"},
      {"{'descr': '<f4', 'more': 1}", "'more'"},
      {"{'descr': '<f4", "no end"},
      {"", "no '{'"},
      {"__import__('os')", "no '{'"}};
  for (const auto& [text, reason] : cases) {
    EXPECT_NE(header_refusal(text).find(reason), std::string::npos) << text << ": " << header_refusal(text);
  }
}

TEST(NpyHeader, OfWholeNumbersWhereTheyAreAskedFor) {
  const auto with = [](const std::string& descr) {
    return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (3,)}";
  };
  EXPECT_EQ(parse_npy_header(with("<i8"), NpyNumbers::kInteger).dtype, at::kLong);
  EXPECT_EQ(parse_npy_header(with("|u1"), NpyNumbers::kInteger).dtype, at::kByte);
  EXPECT_NE(testing::refusal([&] {
              parse_npy_header(with("<f4"), NpyNumbers::kInteger);
            }).find("'|i1', '|u1', '<i2', '<i4' or '<i8' is expected"),
            std::string::npos);
}

TEST(NpyHeader, NoPrefixOrChangedByteMakesItCrash) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  for (std::size_t end = 0; end < good.size(); ++end) {
    EXPECT_NE(header_refusal(good.substr(0, end)), "nothing") << end;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '(', '}', ',', '9', '\'', '\xff'}) {
      std::string changed = good;
      changed[at] = byte;
      header_refusal(changed);
    }
  }
}

class NpyFiles : public ::testing::Test {
 protected:
  std::string refusal(const std::string& bytes) {
    std::ofstream(directory_ / "x.npy", std::ios::binary) << bytes;
    return testing::refusal([&] { open_matrix(files_, directory_ / "x.npy", {}); });
  }
  static std::string file(char major, const std::string& header, std::size_t data_bytes) {
    std::string text = std::string("\x93NUMPY") + major + '\0';
    const std::size_t digits = major == 1 ? 2 : 4;
    for (std::size_t i = 0; i < digits; ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xFF);
    return text + header + std::string(data_bytes, '\0');
  }

  const std::string header_ = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n";
  TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_F(NpyFiles, AllFormatsAreReadAndSizesMustFit) {
  for (const char major : {'\1', '\2', '\3'}) EXPECT_EQ(refusal(file(major, header_, 48)), "nothing");
  EXPECT_NE(refusal(file(4, header_, 48)).find("format is 4.0"), std::string::npos);
  EXPECT_NE(refusal(file(1, header_, 47)).find("does not fit the 47 bytes"), std::string::npos);
  EXPECT_NE(refusal(file(1, header_, 49)).find("does not fit the 49 bytes"), std::string::npos);
  const auto shaped = [&](const std::string& shape) {
    return refusal(file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", 48));
  };
  // Products that overflow to what the file has.
  EXPECT_NE(shaped("(4611686018427387907, 4)").find("does not fit"), std::string::npos);
  EXPECT_NE(shaped("(4611686018427387904, 4611686018427387904)").find("does not fit"), std::string::npos);
  EXPECT_NE(shaped("(0, 4)").find("no rows"), std::string::npos);
  EXPECT_NE(shaped("(12,)").find("1 dimensions"), std::string::npos);
  EXPECT_NE(shaped("(3, 2, 2)").find("3 dimensions"), std::string::npos);
  std::string long_header = file(2, header_, 48);
  long_header[8] = long_header[9] = long_header[10] = '\x7f';
  EXPECT_NE(refusal(long_header).find("claims"), std::string::npos);
  for (std::size_t end = 6; end < file(1, header_, 48).size(); ++end) {
    EXPECT_NE(refusal(file(1, header_, 48).substr(0, end)), "nothing") << end;
  }
}

TEST_F(NpyFiles, OfWholeNumbersAreRowsOfInt64) {
  const auto numbers = [&](const std::string& bytes) {
    std::ofstream(directory_ / "y.npy", std::ios::binary) << bytes;
    return read_npy_integers(files_, directory_ / "y.npy");
  };
  const std::string bytes_header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n";
  EXPECT_TRUE(numbers(file(1, bytes_header, 0) + "\1\2\377").equal(at::tensor({1, 2, 255}, at::kLong)));
  const auto refused = [&](const std::string& bytes) { return testing::refusal([&] { numbers(bytes); }); };
  EXPECT_NE(refused(file(1, bytes_header, 4)).find("does not fit the 4 bytes"), std::string::npos);
  EXPECT_NE(refused(file(1, header_, 48)).find("numbers of type '<f4'"), std::string::npos);
  EXPECT_NE(refused(file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1), }", 3)).find("2 dimensions"),
            std::string::npos);
}

}  // namespace
}  // namespace negatron
