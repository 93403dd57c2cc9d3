#include "runtime/reports/near_pictures.h"

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/data/decoding/decode_image.h"
#include "runtime/data/sources/images_in_memory.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeRow;
using testing::opened;
using testing::TemporaryDirectory;

/// Image i is of one colour: (10 i, 0, 255 - 10 i). 4 rows and 8 columns.
at::Tensor coloured(std::int64_t count) {
  const at::Tensor level = at::arange(count, at::kLong).mul(10);
  return at::stack({level, at::zeros_like(level), 255 - level}, 1)
      .to(at::kByte)
      .view({count, 3, 1, 1})
      .expand({-1, -1, 4, 8})
      .contiguous();
}

std::vector<std::int64_t> ids_of(const std::vector<PicturedSample>& samples) {
  std::vector<std::int64_t> ids;
  for (const PicturedSample& sample : samples) ids.push_back(sample.id);
  return ids;
}

class NearPicturesOfABank : public ::testing::Test {
 protected:
  /// Rows of samples 0 to 5 at rising angles; one of no sample, and one of a sample that the data have not.
  OpenBank bank() {
    std::vector<MadeRow> rows;
    for (std::int64_t id = 0; id < 6; ++id) rows.push_back({0.1 * static_cast<double>(id * id), id, id % 2, 0});
    rows.push_back({0.11, -1, -1, -1});
    rows.push_back({0.12, 77, 0, 0});
    testing::write_made_bank(files_, directory_ / "bank", rows, 2);
    return opened(files_, directory_ / "bank");
  }

  TemporaryDirectory directory_;
  PosixFileLayer files_;
  ImagesInMemory images_{coloured(6), at::arange(6, at::kLong).remainder(2)};
};

TEST_F(NearPicturesOfABank, AreTheNearestSamplesWithTheirImages) {
  const std::vector<NearPictures> found = near_pictures(bank(), images_, {2, 4, 16}, BankMemory(kPlenty));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].sample.id, 0);
  EXPECT_EQ(found[1].sample.id, 3);
  // Of the four nearest to sample 0 (at 0) two are none of these images: those at 0.11 and 0.12.
  EXPECT_EQ(ids_of(found[0].near), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(ids_of(found[1].near), (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(found[1].near[0].label, 0);
  EXPECT_NEAR(found[0].near[0].score, std::cos(0.1), 1e-12);
}

TEST_F(NearPicturesOfABank, HaveTheirLongerSideAsAskedFor) {
  const std::vector<NearPictures> found = near_pictures(bank(), images_, {1, 1, 16}, BankMemory(kPlenty));
  const std::string& png = found[0].near[0].png;
  const at::Tensor image =
      decode_image({reinterpret_cast<const std::uint8_t*>(png.data()), png.size()}, {}, "near.png");
  EXPECT_TRUE(at::equal(image, coloured(2)[1].narrow(1, 0, 1).narrow(2, 0, 1).expand({3, 8, 16})));
}

TEST_F(NearPicturesOfABank, AreNoneWhereNothingCanBeSeen) {
  testing::write_made_bank(files_, directory_ / "imported", {MadeRow{0.3}, MadeRow{0.1}});
  EXPECT_TRUE(near_pictures(opened(files_, directory_ / "imported"), images_, {}, BankMemory(kPlenty)).empty());
}

}  // namespace
}  // namespace negatron
