#include "runtime/data/decoding/exif_orientation.h"

#include <gtest/gtest.h>

#include "tests/runtime/data/decoding/made_images.h"

namespace negatron::testing {
namespace {

TEST(ExifOrientation, IsReadInBothByteOrders) {
  const Orientation quarter_turn{true, false, true};
  EXPECT_EQ(exif_orientation(exif_tiff(6, true)), quarter_turn);
  EXPECT_EQ(exif_orientation(exif_tiff(6, false)), quarter_turn);
  MadeFile named = {'E', 'x', 'i', 'f', 0, 0};
  const MadeFile tiff = exif_tiff(6, false);
  named.insert(named.end(), tiff.begin(), tiff.end());
  EXPECT_EQ(exif_orientation_behind_name(named), quarter_turn);
  EXPECT_EQ(exif_orientation_behind_name(tiff), quarter_turn);
}

TEST(ExifOrientation, NonsenseIsNoTurn) {
  for (const int value : {0, 1, 9, 255}) EXPECT_EQ(exif_orientation(exif_tiff(value, true)), Orientation{});
  const MadeFile whole = exif_tiff(8, false);
  // The value ends where its entry has two more bytes, and the block four.
  for (std::size_t length = 0; length < whole.size() - 6; ++length) {
    EXPECT_EQ(exif_orientation(std::span(whole).first(length)), Orientation{}) << length;
  }
  MadeFile far = exif_tiff(8, true);
  for (std::size_t i = 4; i < 8; ++i) far[i] = 0xff;
  EXPECT_EQ(exif_orientation(far), Orientation{});
}

TEST(ExifOrientation, SidesAreExchangedByQuarterTurnsOnly) {
  EXPECT_EQ(exif_orientation(exif_tiff(8, true)).turned(ImageSize{2, 3}), (ImageSize{3, 2}));
  EXPECT_EQ(exif_orientation(exif_tiff(3, true)).turned(ImageSize{2, 3}), (ImageSize{2, 3}));
}

}  // namespace
}  // namespace negatron::testing
