// Batches whose views are made where they are used, beside those whose views are made on the host.

#include <stdexcept>

#include <gtest/gtest.h>

#include "runtime/data/batch_placement.h"
#include "runtime/data/loader.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/data/views/make_views.h"
#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

constexpr double kOtherSums = 5e-5;
constexpr std::int64_t kImages = 23;
constexpr ImageSize kViews{16, 16};

/// Every fifth is so large that its two views have fewer bytes: 6,144 beside 7,200.
class UnequalImages : public ImageSource {
 public:
  std::int64_t size() const override { return kImages; }
  std::int64_t channels() const override { return 3; }
  ImageSize view_size() const override { return kViews; }
  DecodedImages load(const at::Tensor& ids) const override {
    std::vector<at::Tensor> images;
    for (std::int64_t i = 0; i < ids.size(0); ++i) images.push_back(image(ids[i].item<std::int64_t>()));
    return DecodedImages(images);
  }

  static bool is_large(std::int64_t id) { return id % 5 == 4; }

 private:
  static at::Tensor image(std::int64_t id) {
    const ImageSize size = is_large(id) ? ImageSize{48, 50} : ImageSize{20 + id, 30 - id};
    return random_images(1, 3, size)[0].add(id);
  }
};

LoaderOptions loading(bool unmade, int threads = 0) {
  LoaderOptions options;
  options.batches.global_batch = 6;
  options.batches.seed = 3;
  options.batches.augmentation = view_recipe("moco-v2");
  options.batches.format.size = kViews;
  options.batches.unmade = unmade;
  options.threads = threads;
  options.finish = [placement = batch_placement_on(at::kCPU)](Batch& batch) {
    batch = placement->place(std::move(batch));
  };
  return options;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return 1.0;
  return a.numel() == 0 ? 0.0 : (a - b).abs().max().item<double>();
}

void expect_the_same_epoch(const std::shared_ptr<const ImageSource>& images, const LoaderOptions& on_host,
                           const LoaderOptions& there, const BatchPlan& plan = {}) {
  Loader host(images, on_host), made(images, there);
  for (Loader* loader : {&host, &made}) {
    if (on_host.planned) loader->plan(plan, loader->steps_per_epoch());
  }
  while (std::optional<Batch> expected = host.next()) {
    std::optional<Batch> batch = made.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->unmade, nullptr);
    EXPECT_TRUE(batch->ids.equal(expected->ids));
    ASSERT_EQ(batch->labels.defined(), expected->labels.defined());
    const auto all = batch->views(), of_host = expected->views();
    ASSERT_EQ(all.size(), of_host.size());
    for (std::size_t view = 0; view < all.size(); ++view) EXPECT_LT(distance(*all[view], *of_host[view]), kOtherSums);
  }
}

TEST(DeviceBatches, AreThoseOfTheHost) {
  const auto images = std::make_shared<const ImagesInMemory>(random_images(kImages, 3, {20, 20}),
                                                             at::arange(kImages, at::kLong).remainder(4));
  const auto unequal = std::make_shared<const UnequalImages>();
  for (const std::shared_ptr<const ImageSource>& source : {std::shared_ptr<const ImageSource>(images), {unequal}}) {
    for (const int views : {1, 2}) {
      for (const int threads : {0, 3}) {
        LoaderOptions host = loading(false), there = loading(true, threads);
        host.batches.views = there.batches.views = views;
        expect_the_same_epoch(source, host, there);
      }
    }
  }
}

TEST(DeviceBatches, HaveTheMinedViews) {
  LoaderOptions host = loading(false), there = loading(true, 2);
  host.planned = there.planned = true;
  host.batches.mined = there.batches.mined = 2;
  const at::Tensor samples = at::arange(kImages, at::kLong).unsqueeze(1);
  const BatchPlan plan{{}, (samples + at::arange(1, 4, at::kLong)).remainder(kImages)};
  expect_the_same_epoch(std::make_shared<const UnequalImages>(), host, there, plan);
}

TEST(DeviceBatches, MayBeOfNobody) {
  // Each batch of six is one for each rank, but the last one has 5, and leaves the last rank none.
  LoaderOptions host = loading(false), there = loading(true);
  host.batches.ranks = there.batches.ranks = 6;
  host.batches.rank = there.batches.rank = 5;
  expect_the_same_epoch(std::make_shared<const UnequalImages>(), host, there);
}

TEST(DeviceBatches, TakeTheHostsViewsOfLargeImages) {
  const auto images = std::make_shared<const UnequalImages>();
  const BatchSource host(images, loading(false).batches), there(images, loading(true).batches);
  for (std::int64_t index = 0; index < host.steps_per_epoch(); ++index) {
    const Batch expected = host.build(0, index);
    Batch batch = there.build(0, index);
    batch.make_views_on(at::kCPU);
    for (std::int64_t row = 0; row < batch.ids.size(0); ++row) {
      const bool is_large = UnequalImages::is_large(batch.ids[row].item<std::int64_t>());
      // The bytes of the others take another way, which rounds otherwise.
      EXPECT_EQ(batch.view_a[row].equal(expected.view_a[row]), is_large) << "image " << batch.ids[row].item();
    }
  }
}

TEST(DeviceBatches, DoNotDependOnWhoWasFirst) {
  const BatchSource source(std::make_shared<const UnequalImages>(), loading(true).batches);
  Batch forwards = source.begin(0, 1), backwards = source.begin(0, 1);
  for (std::int64_t row = 0; row < 6; ++row) source.fill(forwards, {row, row + 1});
  for (std::int64_t row = 6; row-- > 0;) source.fill(backwards, {row, row + 1});
  forwards.make_views_on(at::kCPU);
  backwards.make_views_on(at::kCPU);
  EXPECT_TRUE(forwards.view_a.equal(backwards.view_a));
  EXPECT_TRUE(forwards.view_b.equal(backwards.view_b));
}

TEST(DeviceBatches, AreMadeInGroupsOfAnySize) {
  const auto images = std::make_shared<const UnequalImages>();
  const AugmentationOptions options = view_recipe("moco-v2");
  const ViewFormat format{kViews, {{0.5, 0.4, 0.3}, {0.2, 0.3, 0.2}}};
  const DecodedImages loaded = images->load(at::arange(kImages, at::kLong));
  DrawnViews drawn;
  for (std::int64_t i = 0; i < kImages; ++i) {
    drawn.drawn.push_back(draw_view_parameters(i, {1, 0, 0}, options, loaded.size_of(i)));
  }
  at::Tensor host = at::empty({kImages, 3, kViews.height, kViews.width}, at::kFloat);
  make_views(loaded, drawn.drawn, options, format.normalization, host);
  for (const std::int64_t numbers : {1, 20000, 1 << 27}) {
    UnmadeViews unmade(options, format, {1, kImages, 3, numbers});
    unmade.add(0, loaded, {drawn});
    EXPECT_LT(distance(unmade.make(at::kCPU).front(), host), kOtherSums) << numbers;
  }
}

/// Numbers in the place of images.
class SomeFeatures : public ImageSource {
 public:
  std::int64_t size() const override { return 4; }
  std::int64_t channels() const override { return 2; }
  ImageSize view_size() const override { return {1, 1}; }
  bool gives_features() const override { return true; }
  DecodedImages load(const at::Tensor& ids) const override { return at::zeros({ids.size(0), 2, 1, 1}, at::kDouble); }
};

TEST(DeviceBatches, AreNotOfFeatures) {
  BatchOptions options = loading(true).batches;
  EXPECT_THROW(BatchSource(std::make_shared<const SomeFeatures>(), options), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
