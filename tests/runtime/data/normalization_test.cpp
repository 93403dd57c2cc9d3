#include "runtime/data/measured_normalization.h"

#include <cmath>

#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "comm/together.h"
#include "runtime/data/normalization_text.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron::testing {
namespace {

/// As a source that decodes: it says that nothing lies in memory, and counts what is asked for.
class CountedSource : public ImagesInMemory {
 public:
  using ImagesInMemory::ImagesInMemory;
  std::int64_t bytes_in_memory() const override { return 0; }
  DecodedImages load(const at::Tensor& ids) const override {
    asked_ += ids.size(0);
    return ImagesInMemory::load(ids);
  }
  std::int64_t asked() const { return asked_; }

 private:
  mutable std::int64_t asked_ = 0;
};

TEST(Normalization, GivesMeanZeroAndDeviationOne) {
  const at::Tensor images = at::arange(0, 240, at::kLong).to(at::kByte).view({10, 1, 4, 6});
  const Normalization normalization = measured_normalization(ImagesInMemory(images));
  EXPECT_NEAR(normalization.mean().front(), 119.5 / 255, 1e-12);
  const at::Tensor values = normalization.apply(images).to(at::kDouble);
  EXPECT_NEAR(values.mean().item<double>(), 0.0, 1e-6);
  EXPECT_NEAR(values.std(/*unbiased=*/false).item<double>(), 1.0, 1e-6);
  const ImagesInMemory flat(at::full({1, 1, 3, 3}, 7, at::kByte));
  EXPECT_EQ(measured_normalization(flat).deviation().front(), 1.0);
  EXPECT_THROW(measured_normalization(ImagesInMemory(at::zeros({0, 1, 3, 3}, at::kByte))), std::invalid_argument);
}

TEST(Normalization, MeasuresEachChannelForItself) {
  // 1,300 images are looked at in several parts.
  at::Tensor images = at::arange(1300L * 3 * 2 * 5, at::kLong).mul_(7).remainder_(256).view({1300, 3, 2, 5});
  images.select(1, 1).floor_divide_(4);
  images.select(1, 2).fill_(9);
  const Normalization normalization = measured_normalization(ImagesInMemory(images.to(at::kByte)));
  ASSERT_EQ(normalization.mean().size(), 3U);
  const at::Tensor values = normalization.apply(images.to(at::kByte)).to(at::kDouble);
  for (std::int64_t channel = 0; channel < 2; ++channel) {
    EXPECT_NEAR(values.select(1, channel).mean().item<double>(), 0.0, 1e-5) << channel;
    EXPECT_NEAR(values.select(1, channel).std(/*unbiased=*/false).item<double>(), 1.0, 1e-5) << channel;
  }
  EXPECT_NEAR(normalization.mean()[2], 9.0 / 255, 1e-12);
  EXPECT_EQ(normalization.deviation()[2], 1.0);
}

TEST(Normalization, OfOnePairServesAllChannels) {
  const at::Tensor images = at::arange(0, 120, at::kLong).to(at::kByte).view({2, 3, 4, 5});
  const at::Tensor one = Normalization(0.25, 0.5).apply(images);
  EXPECT_TRUE(one.equal(Normalization(std::vector<double>(3, 0.25), std::vector<double>(3, 0.5)).apply(images)));
  EXPECT_THROW(Normalization(std::vector<double>(2, 0.25), std::vector<double>(2, 0.5)).apply(images),
               std::invalid_argument);
}

TEST(Normalization, ReadsNoMoreThanASampleOfImagesThatMustBeDecoded) {
  const at::Tensor images = at::arange(25000, at::kLong).floor_divide_(100).to(at::kByte).view({25000, 1, 1, 1});
  const CountedSource source(images);
  const Normalization sampled = measured_normalization(source);
  EXPECT_EQ(source.asked(), 1024);
  // Evenly spaced: classes that follow each other are all in it.
  const Normalization whole = measured_normalization(ImagesInMemory(images));
  EXPECT_NEAR(sampled.mean().front(), whole.mean().front(), 1e-3);
  EXPECT_NEAR(sampled.deviation().front(), whole.deviation().front(), 1e-3);
}

TEST(Normalization, HasTheSameBitsOnAnyNumberOfRanksThatEachLookAtAPart) {
  const at::Tensor images = at::arange(3000L * 3 * 2 * 5, at::kLong).mul_(7).remainder_(251).view({3000, 3, 2, 5});
  const Normalization alone = measured_normalization(CountedSource(images.to(at::kByte)));
  for (const int ranks : {1, 2, 3, 5}) {
    run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      const CountedSource source(images.to(at::kByte));
      EXPECT_EQ(measured_normalization(source, comm), alone) << ranks;
      EXPECT_EQ(source.asked(), share(1024, ranks, comm.rank()).size());
    });
  }
}

TEST(Normalization, ThatOneRankCannotMeasureIsNoRanks) {
  run_ranks(3, CommunicatorOptions{.check = true}, [](Communicator& comm) {
    const at::Tensor images = at::zeros({comm.rank() == 1 ? 0 : 10, 1, 2, 2}, at::kByte);
    EXPECT_THROW(measured_normalization(ImagesInMemory(images), comm), FailedTogether);
  });
}

TEST(NormalizationText, ReadsBackToTheSameNumbers) {
  EXPECT_EQ(normalization_text(imagenet_normalization()), "0.485,0.456,0.406;0.229,0.224,0.225");
  const Normalization odd{{1.0 / 3.0, 0.1}, {2.0 / 7.0, 1e-9}};
  EXPECT_EQ(parse_normalization(normalization_text(odd)), odd);
  EXPECT_EQ(parse_normalization("0.5;0.25"), Normalization(0.5, 0.25));
  for (const char* wrong : {"", "0.5", ";", "0.5;", "0.5;0", "0.5;-1", "0.5,0.5;0.25", "a;b", "0.5;0.25x", "nan;1",
                            "0.5,;0.2,0.2", "0.5;0.2;0.3"}) {
    EXPECT_THROW(parse_normalization(wrong), std::invalid_argument) << wrong;
  }
  EXPECT_TRUE(odd.serves(2));
  EXPECT_FALSE(odd.serves(3));
  EXPECT_TRUE(Normalization(0.5, 0.25).serves(3));
}

TEST(Normalization, RefusesWhatIsNoDeviation) {
  EXPECT_NO_THROW(Normalization().validate());
  EXPECT_THROW((Normalization{0.5, 0.0}.validate()), std::invalid_argument);
  EXPECT_THROW((Normalization{std::nan(""), 1.0}.validate()), std::invalid_argument);
  EXPECT_THROW((Normalization{{0.5, 0.5}, {1.0}}.validate()), std::invalid_argument);
  EXPECT_THROW((Normalization{std::vector<double>{}, {}}.validate()), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
