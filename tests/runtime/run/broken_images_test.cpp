#include "runtime/run/broken_images.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron::testing {
namespace {

/// Images of which a rank could not read some.
class Unread : public ImagesInMemory {
 public:
  explicit Unread(at::Tensor numbers)
      : ImagesInMemory(at::zeros({10, 1, 4, 4}, at::kByte)), numbers_(std::move(numbers)) {}
  at::Tensor broken_images() const override { return numbers_; }

 private:
  at::Tensor numbers_;
};

TEST(BrokenImages, CountOnceHoweverManyRanksMetThem) {
  run_ranks(3, CommunicatorOptions{.check = true}, [](Communicator& comm) {
    // 4 and 7, then 7 and 9, then none.
    const std::vector<at::Tensor> met = {at::tensor({4, 7}, at::kLong), at::tensor({7, 9}, at::kLong),
                                         at::empty({0}, at::kLong)};
    PretrainData data;
    data.train = std::make_shared<const Unread>(met[static_cast<std::size_t>(comm.rank())]);
    EXPECT_EQ(count_broken_images(comm, data).train, 3);
    EXPECT_EQ(count_broken_images(comm, data).test, 0);
    data.test = std::make_shared<const Unread>(at::tensor({1}, at::kLong));
    EXPECT_EQ(count_broken_images(comm, data).test, 1);
  });
}

}  // namespace
}  // namespace negatron::testing
