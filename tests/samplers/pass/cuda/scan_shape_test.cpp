#include "samplers/pass/cuda/scan_shape.h"

#include <gtest/gtest.h>

#include "samplers/pass/cuda/cuda_run.h"

// Of registers tests/gpu/kernel_resources.sh takes care.
namespace negatron {
namespace {

constexpr int kKiB = 1024;
// Shared memory of a multiprocessor for all thread blocks, 1 KiB of it the system's for each, and the most for one
// block: CUDA C++ Programming Guide, technical specifications by compute capability.
constexpr int kMultiprocessor80 = 164 * kKiB;
constexpr int kBlock80 = 163 * kKiB;
constexpr int kBlock86 = 99 * kKiB;
constexpr int kSystem = kKiB;

TEST(ScanShape, FitsIntoSharedMemory) {
  for (const std::int64_t width : {64, 128, 256}) {
    for (const int terms : {1, 2}) {
      with_scan_shape(width, terms, [&](auto shape) {
        using Shape = decltype(shape);
        SCOPED_TRACE(::testing::Message() << "width " << width << ", terms " << terms);
        EXPECT_LE(Shape::shared_bytes(2), kBlock80);
        if (width > 128) return;
        EXPECT_LE(Shape::shared_bytes(2), kBlock86);
        EXPECT_LE(2 * (Shape::shared_bytes(1) + kSystem), kMultiprocessor80) << "two blocks a multiprocessor";
      });
    }
  }
}

TEST(ScanShape, HasNoneForOtherWidthsAndTerms) {
  const auto nothing = [](auto) {};
  for (const std::int64_t width : {0, 4, 12, 264}) EXPECT_FALSE(with_scan_shape(width, 1, nothing)) << width;
  EXPECT_FALSE(with_scan_shape(136, 2, nothing));
  EXPECT_FALSE(with_scan_shape(64, 0, nothing));
  EXPECT_FALSE(with_scan_shape(64, 3, nothing));
  EXPECT_TRUE(with_scan_shape(136, 1, nothing));
  EXPECT_TRUE(with_scan_shape(8, 2, nothing));
}

TEST(SliceCount, KeepsTheDeviceBusyWithFewSlices) {
  EXPECT_EQ(slice_count(1, 1, 264), 1);
  EXPECT_EQ(slice_count(1024, 264, 264), 1);
  EXPECT_EQ(slice_count(1024, 32, 264), 8);
  // One block of queries alone: as many slices as run at a time, none of them empty.
  EXPECT_EQ(slice_count(65536, 1, 264), 264);
  EXPECT_EQ(slice_count(5, 1, 4), 3);
  for (const std::int64_t tiles : {1, 7, 100, 1000}) {
    for (const std::int64_t blocks : {1, 3, 50, 1000}) {
      const std::int64_t slices = slice_count(tiles, blocks, 100);
      const std::int64_t own = (tiles + slices - 1) / slices;
      EXPECT_LT((slices - 1) * own, tiles) << "an empty slice of " << tiles << " tiles for " << blocks << " blocks";
    }
  }
}

}  // namespace
}  // namespace negatron
