// A thread that computes beside the caller's.

#include "samplers/exchange/side_thread.h"

#include <stdexcept>
#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace negatron {
namespace {

TEST(SideThread, ComputesElsewhereWithThreadsOfItsOwn) {
  at::set_num_threads(2);
  SideThread side(3);
  std::thread::id other;
  int threads = 0;
  std::future<PassResult> result = side.start([&] {
    other = std::this_thread::get_id();
    threads = at::get_num_threads();
    PassResult own;
    own.count = at::ones({1});
    return own;
  });
  EXPECT_EQ(result.get().count.item<double>(), 1.0);
  EXPECT_NE(other, std::this_thread::get_id());
  EXPECT_EQ(threads, 3);
  EXPECT_EQ(at::get_num_threads(), 2);
}

TEST(SideThread, HandsOnWhatIsThrown) {
  SideThread side(1);
  std::future<PassResult> result = side.start([]() -> PassResult { throw std::runtime_error("of the pass"); });
  EXPECT_THROW(result.get(), std::runtime_error);
}

}  // namespace
}  // namespace negatron
