// Work on a copy: when the host waits, what is thrown, and what is counted.

#include "comm/staged_work.h"

#include <gtest/gtest.h>

#include "comm/error.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

/// A collective on `tensor` that doubles it, in place, and that takes three looks.
class Doubling : public Work::Pending {
 public:
  Doubling(at::Tensor tensor, bool fails) : tensor_(std::move(tensor)), fails_(fails) {}

  bool done() override {
    if (fails_ && looks_ == 2) throw TimeoutError("over the limit");
    return ++looks_ > 3;
  }
  at::Tensor finish() override {
    looks_when_finished = looks_;
    tensor_.mul_(2);
    return tensor_;
  }

  inline static int looks_when_finished = -1;

 private:
  at::Tensor tensor_;
  bool fails_;
  int looks_ = 0;
};

/// Doubles `tensor` where a transport of `home` would.
at::Tensor doubled(at::Device home, const at::Tensor& tensor, std::int64_t* bytes, bool fails = false) {
  const Staging staging(home);
  EXPECT_TRUE(staging.moves(tensor));
  const auto run = [&](const at::Tensor& copy) -> std::unique_ptr<Work::Pending> {
    EXPECT_EQ(copy.device(), home);
    EXPECT_FALSE(copy.is_same(tensor));
    return std::make_unique<Doubling>(copy, fails);
  };
  return Work(run_staged(staging, tensor, run, [bytes](std::int64_t more) { *bytes += more; })).wait();
}

TEST(StagedWork, TheHostLooksUntilADeviceIsDone) {
  const at::Tensor tensor = at::ones({4});
  std::int64_t bytes = 0;
  EXPECT_TRUE(doubled(stand_in_device(), tensor, &bytes).is_same(tensor));
  EXPECT_EQ(Doubling::looks_when_finished, 4);
  EXPECT_TRUE(at::equal(tensor, at::full({4}, 2.0F)));
  EXPECT_EQ(bytes, 2 * 16);
}

TEST(StagedWork, AFailureIsThrownWhileTheHostLooks) {
  const at::Tensor tensor = at::ones({4});
  std::int64_t bytes = 0;
  EXPECT_THROW(doubled(stand_in_device(), tensor, &bytes, /*fails=*/true), TimeoutError);
  EXPECT_TRUE(at::equal(tensor, at::ones({4})));
  EXPECT_EQ(bytes, 16);
}

TEST(StagedWork, ADeviceTensorGoesThereAndBack) {
  const at::Tensor tensor = at::ones({2, 2}, at::TensorOptions(at::kDouble).device(stand_in_device()));
  std::int64_t bytes = 0;
  EXPECT_TRUE(doubled(at::kCPU, tensor, &bytes).is_same(tensor));
  EXPECT_TRUE(at::equal(tensor, at::full_like(tensor, 2.0)));
  EXPECT_EQ(bytes, 2 * 32);
}

TEST(Staging, MovesWhatLiesOnTheOtherSide) {
  EXPECT_FALSE(Staging(at::kCPU).moves(at::ones({1})));
  EXPECT_FALSE(Staging(stand_in_device(1)).moves(at::ones({1}, stand_in_device(2))));
}

}  // namespace
}  // namespace negatron::testing
