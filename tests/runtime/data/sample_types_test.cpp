#include "runtime/data/sample_types.h"

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

TEST(SampleTypes, NamesAFileThatIsNotThere) {
  EXPECT_THROW(read_sample_types("no/such/file", 1), DataError);
}

}  // namespace
}  // namespace negatron
