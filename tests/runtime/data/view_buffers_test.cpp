#include "runtime/data/view_buffers.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(ViewBuffers, AreUsedAgainOnceNobodyHoldsThem) {
  ViewBuffers buffers;
  at::Tensor first = buffers.take({4, 3});
  const void* memory = first.data_ptr();
  const at::Tensor second = buffers.take({4, 3});
  EXPECT_NE(second.data_ptr(), memory);
  at::Tensor part = first.slice(0, 1, 2);
  first.reset();
  EXPECT_NE(buffers.take({4, 3}).data_ptr(), memory) << "a part of it is still held";
  part.reset();
  const at::Tensor again = buffers.take({4, 3});
  EXPECT_EQ(again.data_ptr(), memory);
  EXPECT_EQ(again.sizes(), at::IntArrayRef({4, 3}));
  EXPECT_NE(buffers.take({2, 3}).data_ptr(), memory);
}

}  // namespace
}  // namespace negatron::testing
