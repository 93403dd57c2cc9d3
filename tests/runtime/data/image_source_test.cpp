#include "runtime/data/image_source.h"

#include <gtest/gtest.h>

#include "runtime/data/converted_source.h"
#include "runtime/data/source_part.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/data/view_format.h"

namespace negatron::testing {
namespace {

at::Tensor counted_images(std::int64_t count) {
  return at::arange(count * 2 * 3 * 4, at::kLong).remainder_(256).to(at::kByte).view({count, 2, 3, 4});
}

TEST(DecodedImages, OfOneSizeLieTogether) {
  const at::Tensor images = counted_images(3);
  const DecodedImages together(images);
  EXPECT_EQ(together.size(), 3);
  EXPECT_TRUE(together.have_one_size());
  EXPECT_TRUE(together.image(1).equal(images.narrow(0, 1, 1)));
  const DecodedImages apart(std::vector<at::Tensor>{images[2], images[0]});
  ASSERT_TRUE(apart.have_one_size());
  EXPECT_TRUE(apart.together().equal(images.index_select(0, at::tensor({2, 0}, at::kLong))));
}

TEST(DecodedImages, OfDifferingSizesStayApart) {
  const DecodedImages images(std::vector<at::Tensor>{at::zeros({3, 5, 6}, at::kByte), at::ones({3, 7, 2}, at::kByte)});
  EXPECT_FALSE(images.have_one_size());
  EXPECT_EQ(images.size(), 2);
  EXPECT_EQ(images.image(1).sizes(), at::IntArrayRef({1, 3, 7, 2}));
}

TEST(DecodedImages, RefuseWhatIsNoImage) {
  EXPECT_THROW(DecodedImages(at::zeros({3, 5, 6}, at::kByte)), std::invalid_argument);
  EXPECT_THROW(DecodedImages(at::zeros({1, 3, 5, 6}, at::kFloat)), std::invalid_argument);
  EXPECT_THROW(DecodedImages(std::vector<at::Tensor>{}), std::invalid_argument);
  const at::Tensor colour = at::zeros({3, 5, 6}, at::kByte), grey = at::zeros({1, 5, 6}, at::kByte);
  EXPECT_THROW(DecodedImages(std::vector<at::Tensor>{colour, grey}), std::invalid_argument);
  EXPECT_THROW(DecodedImages(std::vector<at::Tensor>{colour.to(at::kFloat)}), std::invalid_argument);
}

TEST(ImagesInMemory, GiveWhatIsAskedForInItsOrder) {
  const at::Tensor images = counted_images(5);
  const ImagesInMemory source(images, at::tensor({4, 0, 2, 0, 1}, at::kLong));
  EXPECT_EQ(source.size(), 5);
  EXPECT_EQ(source.channels(), 2);
  EXPECT_EQ(source.view_size(), (ImageSize{3, 4}));
  EXPECT_EQ(source.bytes_in_memory(), 5 * 24);
  EXPECT_EQ(count_classes(source), 5);
  EXPECT_EQ(source.test_part(), nullptr);
  const at::Tensor ids = at::tensor({3, 0, 3}, at::kLong);
  EXPECT_TRUE(source.load(ids).together().equal(images.index_select(0, ids)));
  EXPECT_TRUE(labels_of(source, ids).equal(at::tensor({0, 4, 0}, at::kLong)));
}

TEST(ImagesInMemory, NeedNoLabelsButRightOnes) {
  const ImagesInMemory source(counted_images(2));
  EXPECT_FALSE(source.has_labels());
  EXPECT_FALSE(labels_of(source, at::zeros({1}, at::kLong)).defined());
  EXPECT_EQ(count_classes(source), 0);
  EXPECT_THROW(ImagesInMemory(counted_images(2), at::zeros({3}, at::kLong)), std::invalid_argument);
  EXPECT_THROW(ImagesInMemory(counted_images(2), at::zeros({2}, at::kFloat)), std::invalid_argument);
  EXPECT_THROW(ImagesInMemory(at::zeros({2, 3, 4}, at::kByte)), std::invalid_argument);
}

TEST(SourcePart, CountsFromItsOwnBeginning) {
  const at::Tensor images = counted_images(6);
  const auto whole = std::make_shared<const ImagesInMemory>(images, at::arange(6, at::kLong));
  const SourcePart part(whole, at::arange(2, 5, at::kLong));
  EXPECT_EQ(part.size(), 3);
  EXPECT_EQ(part.channels(), 2);
  EXPECT_EQ(part.view_size(), (ImageSize{3, 4}));
  EXPECT_EQ(part.bytes_in_memory(), 3 * 24);
  EXPECT_TRUE(part.labels().equal(at::tensor({2, 3, 4}, at::kLong)));
  EXPECT_TRUE(part.load(at::tensor({2, 0}, at::kLong)).together().equal(whole->load(at::tensor({4, 2})).together()));
  EXPECT_FALSE(SourcePart(std::make_shared<const ImagesInMemory>(images), at::arange(1, at::kLong)).has_labels());
  EXPECT_THROW(SourcePart(whole, at::arange(2, 7, at::kLong)), std::invalid_argument);
  EXPECT_THROW(SourcePart(whole, at::arange(-1, 2, at::kLong)), std::invalid_argument);
}

TEST(ConvertedSource, GivesTheChannelsAndTheViewSizeThatAreAskedFor) {
  const at::Tensor colours = at::tensor({255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}, at::kByte).view({4, 3, 1, 1});
  const auto source = std::make_shared<const ImagesInMemory>(colours);
  SourceOptions options;
  EXPECT_EQ(ConvertedSource::where_needed(source, options), source);
  options.channels = 1;
  options.view_side = 8;
  const std::shared_ptr<const ImageSource> grey = ConvertedSource::where_needed(source, options);
  EXPECT_EQ(grey->channels(), 1);
  EXPECT_EQ(grey->view_size(), (ImageSize{8, 8}));
  // What PIL makes of pure red, green and blue, and of (10, 20, 30).
  const at::Tensor expected = at::tensor({76, 150, 29, 18}, at::kByte);
  EXPECT_TRUE(grey->load(at::arange(4, at::kLong)).together().flatten().equal(expected));
  options.channels = 3;
  const at::Tensor back = ConvertedSource::where_needed(grey, options)->load(at::tensor({3}, at::kLong)).together();
  EXPECT_TRUE(back.flatten().equal(at::tensor({18, 18, 18}, at::kByte)));
}

TEST(WholeViews, OfTheRightSizeAreTheImagesNormalised) {
  const at::Tensor images = counted_images(3);
  const ViewFormat format{{3, 4}, {0.5, 0.25}};
  EXPECT_TRUE(whole_views(images, format).equal(format.normalization.apply(images)));
}

TEST(WholeViews, StretchImagesOfOtherSizes) {
  const at::Tensor flat = at::full({3, 40, 30}, 51, at::kByte);
  const at::Tensor ramp = at::arange(16, at::kLong).mul_(8).to(at::kByte).expand({3, 8, 16}).contiguous();
  const at::Tensor views = whole_views(DecodedImages(std::vector<at::Tensor>{flat, ramp}), {{4, 8}, {}});
  ASSERT_EQ(views.sizes(), at::IntArrayRef({2, 3, 4, 8}));
  EXPECT_LT((views[0] - 0.2).abs().max().item<double>(), 1e-6);
  // Away from its ends a ramp that shrinks by two has the means of neighbours.
  const at::Tensor expected = (at::arange(8, at::kFloat) * 16 + 4) / 255.0;
  EXPECT_LT((views[1] - expected).slice(2, 1, 7).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace negatron::testing
