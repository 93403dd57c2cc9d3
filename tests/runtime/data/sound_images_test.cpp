#include "runtime/data/sound_images.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/data/batch_source.h"
#include "runtime/data/data_error.h"

namespace negatron::testing {
namespace {

/// Images of differing sizes, each of its number alone, some of them broken.
class SomeBroken : public ImageSource {
 public:
  SomeBroken(std::int64_t size, std::set<std::int64_t> broken) : size_(size), broken_(std::move(broken)) {}
  std::int64_t size() const override { return size_; }
  std::int64_t channels() const override { return 1; }
  ImageSize view_size() const override { return {4, 4}; }
  at::Tensor labels() const override { return at::arange(size_, at::kLong) * 10; }
  DecodedImages load(const at::Tensor& ids) const override {
    std::vector<at::Tensor> images;
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      const auto id = ids[i].item<std::int64_t>();
      if (broken_.count(id) > 0) throw DataError("Image " + std::to_string(id) + " is broken.");
      images.push_back(at::full({1, 4 + id % 2, 4}, id % 256, at::kByte));
    }
    return DecodedImages(std::move(images));
  }

 private:
  std::int64_t size_;
  std::set<std::int64_t> broken_;
};

std::vector<std::int64_t> values_of(const DecodedImages& images) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < images.size(); ++i) values.push_back(images.image(i).flatten()[0].item<std::int64_t>());
  return values;
}

TEST(SoundImages, PutTheNextOneInThePlaceOfABrokenOne) {
  std::vector<std::string> told;
  const SoundImages sound(std::make_shared<const SomeBroken>(6, std::set<std::int64_t>{1, 2, 5}),
                          [&](const std::string& sentence) { told.push_back(sentence); });
  const at::Tensor ids = at::tensor({0, 1, 2, 3, 5, 5}, at::kLong);
  EXPECT_TRUE(sound.stand_ins(ids).equal(ids));
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(values_of(sound.load(ids)), (std::vector<std::int64_t>{0, 3, 3, 3, 0, 0}));
    EXPECT_TRUE(sound.stand_ins(ids).equal(at::tensor({0, 3, 3, 3, 0, 0}, at::kLong)));
    EXPECT_TRUE(labels_of(sound, ids).equal(at::tensor({0, 30, 30, 30, 0, 0}, at::kLong)));
  }
  EXPECT_EQ(sound.broken(), 3);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told.front(), "Image 1 is broken. The next image takes its place (broken images so far: 1).");
}

TEST(SoundImages, AreTheSameForAnyNumberOfThreads) {
  const std::set<std::int64_t> broken = {3, 4, 50, 98, 99};
  const SoundImages alone(std::make_shared<const SomeBroken>(100, broken), {});
  const SoundImages shared(std::make_shared<const SomeBroken>(100, broken), {});
  const std::vector<std::int64_t> expected = values_of(alone.load(at::arange(100, at::kLong)));
  std::vector<std::thread> threads;
  std::vector<std::vector<std::int64_t>> parts(4);
  for (std::int64_t part = 0; part < 4; ++part) {
    threads.emplace_back([&, part] {
      parts[static_cast<std::size_t>(part)] = values_of(shared.load(at::arange(part * 25, part * 25 + 25, at::kLong)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::int64_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  EXPECT_EQ(all, expected);
}

TEST(SoundImages, StopWhenMoreThanOneInAHundredIsBroken) {
  std::set<std::int64_t> broken;
  for (std::int64_t id = 0; id < 2000; id += 50) broken.insert(id);
  const SoundImages sound(std::make_shared<const SomeBroken>(2000, broken), {});
  const auto load_all = [&] {
    for (std::int64_t begin = 0; begin < 2000; begin += 100) sound.load(at::arange(begin, begin + 100, at::kLong));
  };
  try {
    load_all();
    FAIL() << "2 % are broken";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("more than 1 %; the last of them: Image 500"), std::string::npos)
        << error.what();
  }
  const SoundImages none(std::make_shared<const SomeBroken>(2, std::set<std::int64_t>{0, 1}), {});
  EXPECT_THROW(none.load(at::zeros({1}, at::kLong)), DataError);
  EXPECT_THROW(none.load(at::zeros({1}, at::kLong)), DataError);
}

TEST(SoundImages, GoIntoBatchesWithTheirOwnNumbersAndLabels) {
  const auto sound =
      std::make_shared<const SoundImages>(std::make_shared<const SomeBroken>(8, std::set<std::int64_t>{2}), nullptr);
  BatchOptions options;
  options.global_batch = 8;
  const Batch batch = BatchSource(sound, options).build(0, 0);
  EXPECT_EQ(batch.ids.eq(3).sum().item<int>(), 2);
  EXPECT_EQ(batch.ids.eq(2).sum().item<int>(), 0);
  EXPECT_TRUE(batch.labels.equal(batch.ids * 10));
}

}  // namespace
}  // namespace negatron::testing
