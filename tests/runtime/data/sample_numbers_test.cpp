#include "runtime/data/sample_numbers.h"

#include <fstream>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

std::string refusal(const std::string& content, std::int64_t samples) {
  const testing::TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "types.txt";
  std::ofstream(path) << content;
  try {
    read_sample_types(path, samples);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SampleTypes, OneALine) {
  const testing::TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "types.txt";
  std::ofstream(path) << "0\n2 \n-1\r\n1";
  EXPECT_TRUE(at::equal(read_sample_types(path, 4), at::tensor({0, 2, -1, 1}, at::kLong)));
  // As some editors save it: a mark before the first line, empty lines behind the last.
  std::ofstream(path) << "\xEF\xBB\xBF"
                         "0\n2\n\n \n";
  EXPECT_TRUE(at::equal(read_sample_types(path, 2), at::tensor({0, 2}, at::kLong)));
}

TEST(SampleTypes, RefusesWhatIsNoType) {
  for (const char* line : {"", "1.5", "one", "-2", "1024", "99999999999999999999", "1 2"}) {
    const std::string said = refusal("0\n" + std::string(line) + "\n0\n", 3);
    EXPECT_NE(said.find("line 2 of"), std::string::npos) << line << ": " << said;
  }
}

TEST(SampleTypes, RefusesAnotherNumberOfSamples) {
  EXPECT_NE(refusal("0\n1\n", 3).find("has 2 lines, expected one for each of the 3 training samples"),
            std::string::npos);
  EXPECT_NE(refusal("0\n1\n0\n1\n", 3).find("has 4 lines"), std::string::npos);
  EXPECT_NE(refusal("", 1).find("has 0 lines"), std::string::npos);
}

TEST(SampleCounts, AreWholeNumbersFrom0On) {
  const testing::TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "counts.txt";
  std::ofstream(path) << "0\n7\n9007199254740992\n";
  EXPECT_TRUE(
      at::equal(read_sample_counts(path, 3), at::tensor({std::int64_t{0}, std::int64_t{7}, std::int64_t{1} << 53})));
  for (const char* line : {"-1", "1.5", "many", "9007199254740993"}) {
    std::ofstream(path) << "3\n" << line << "\n";
    try {
      read_sample_counts(path, 2);
      ADD_FAILURE() << line << " was taken";
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("--sample-counts: line 2 of"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("the count of one sample, a whole number from 0"), std::string::npos);
    }
  }
}

TEST(SampleTypes, NamesAFileThatIsNotThere) {
  EXPECT_THROW(read_sample_types("no/such/file", 1), DataError);
}

}  // namespace
}  // namespace negatron
