#include "comm/mpi/mpi_counts.h"

#include <gtest/gtest.h>

#include "comm/error.h"

namespace negatron::testing {
namespace {

TEST(MpiCounts, CountsBytesWhereTheyFit) {
  const MpiCounts counts = mpi_counts({3, 0, 2}, 16);
  EXPECT_EQ(counts.unit_bytes, 1);
  EXPECT_EQ(counts.counts, (std::vector<int>{48, 0, 32}));
  EXPECT_EQ(counts.displacements, (std::vector<int>{0, 48, 48}));
}

TEST(MpiCounts, CountsRowsWhereBytesDoNotFit) {
  // 6 million rows of 512 bytes are 3 GB.
  const MpiCounts counts = mpi_counts({2'000'000, 4'000'000}, 512);
  EXPECT_EQ(counts.unit_bytes, 512);
  EXPECT_EQ(counts.counts, (std::vector<int>{2'000'000, 4'000'000}));
  EXPECT_EQ(counts.displacements, (std::vector<int>{0, 2'000'000}));
}

TEST(MpiCounts, TheLimitItselfFits) {
  EXPECT_EQ(mpi_counts({kMpiLimit}, 1).unit_bytes, 1);
  EXPECT_EQ(mpi_counts({kMpiLimit, 0}, 2).unit_bytes, 2);
  EXPECT_EQ(mpi_counts({1}, kMpiLimit).unit_bytes, 1);
  EXPECT_EQ(mpi_counts({2}, kMpiLimit).unit_bytes, kMpiLimit);
}

TEST(MpiCounts, MoreThanThatIsAnErrorThatNamesTheLimit) {
  EXPECT_THROW(mpi_counts({kMpiLimit, 1}, 1), CommError);
  EXPECT_THROW(mpi_counts({1}, kMpiLimit + 1), CommError);
  // The bytes of these would not fit 64 bits either.
  EXPECT_THROW(mpi_counts({std::int64_t{1} << 60}, std::int64_t{1} << 60), CommError);
  try {
    mpi_counts({kMpiLimit, 1}, 4);
    ADD_FAILURE() << "no error";
  } catch (const CommError& error) {
    EXPECT_NE(std::string(error.what()).find("2147483648 rows of 4 bytes"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("2147483647"), std::string::npos) << error.what();
  }
}

TEST(MpiCounts, EmptyRowsMoveNothing) {
  const MpiCounts counts = mpi_counts({kMpiLimit, kMpiLimit}, 0);
  EXPECT_EQ(counts.counts, (std::vector<int>{0, 0}));
}

}  // namespace
}  // namespace negatron::testing
