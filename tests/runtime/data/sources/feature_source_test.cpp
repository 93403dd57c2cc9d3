#include "runtime/data/sources/feature_source.h"

#include <limits>

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "runtime/data/view_format.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/sources/npy_bytes.h"
#include "tests/runtime/data/sources/written_hdf5.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// [n, 4], exact in fp16.
at::Tensor some_features(std::int64_t n) {
  return (at::arange(n * 4, at::kDouble) - 6).div(4).view({n, 4});
}

std::string feature_refusal(const SourceOptions& options) {
  try {
    open_images(options)->load(at::zeros({1}, at::kLong));
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_features(const ImageSource& source, const at::Tensor& features) {
  EXPECT_TRUE(source.gives_features());
  EXPECT_EQ(source.size(), features.size(0));
  EXPECT_EQ(source.channels(), features.size(1));
  EXPECT_EQ(source.view_size(), (ImageSize{1, 1}));
  EXPECT_EQ(source.bytes_in_memory(), 0);
  // Rows that follow each other, and others.
  const at::Tensor ids = at::tensor({2, 3, 4, 0, 0, 1, 3}, at::kLong);
  const DecodedImages loaded = source.load(ids);
  EXPECT_TRUE(loaded.are_features());
  EXPECT_TRUE(loaded.together().flatten(1).equal(features.index_select(0, ids)));
}

TEST(FeatureSource, ReadsNpyOfEveryFloatingType) {
  const TemporaryDirectory folder;
  for (const at::ScalarType type : {at::kHalf, at::kFloat, at::kDouble}) {
    write_bytes(folder / "x.npy", npy_bytes(some_features(5).to(type)));
    const auto source = open_images({folder / "x.npy"});
    expect_features(*source, some_features(5));
    EXPECT_FALSE(source->has_labels());
    EXPECT_EQ(source->test_part(), nullptr);
  }
  // Whatever the name, and behind a link.
  write_bytes(folder / "rows", npy_bytes(some_features(5)));
  std::filesystem::create_symlink(folder / "rows", folder / "link.npy");
  expect_features(*open_images({folder / "link.npy"}), some_features(5));
}

TEST(FeatureSource, TakesLabelsThatLieBesideAnNpy) {
  const TemporaryDirectory folder;
  write_bytes(folder / "x.npy", npy_bytes(some_features(5)));
  write_bytes(folder / "x.labels.npy", npy_bytes(at::arange(5, at::kByte)));
  EXPECT_TRUE(open_images({folder / "x.npy"})->labels().equal(at::arange(5, at::kLong)));
  write_bytes(folder / "x.labels.npy", npy_bytes(at::arange(4, at::kLong)));
  EXPECT_NE(feature_refusal({folder / "x.npy"}).find("x.labels.npy' has the shape [4], expected one"),
            std::string::npos);
  write_bytes(folder / "x.labels.npy", npy_bytes(at::full({5}, -1, at::kLong)));
  EXPECT_NE(feature_refusal({folder / "x.npy"}).find("labels below 0"), std::string::npos);
}

TEST(FeatureSource, ReadsHdf5WithItsGroups) {
  const TemporaryDirectory folder;
  for (const bool packed : {false, true}) {
    {
      WrittenFile file(folder / "x.h5");
      file.group("train");
      file.group("test");
      file.dataset("train/features", some_features(5).to(at::kFloat), packed);
      file.dataset("train/labels", at::arange(5, at::kLong));
      file.dataset("test/features", some_features(2) + 1);
    }
    const auto source = open_images({folder / "x.h5"});
    expect_features(*source, some_features(5));
    EXPECT_TRUE(source->labels().equal(at::arange(5, at::kLong)));
    const auto test = source->test_part();
    ASSERT_NE(test, nullptr);
    EXPECT_FALSE(test->has_labels());
    EXPECT_EQ(test->test_part(), nullptr);
    EXPECT_TRUE(test->load(at::arange(2, at::kLong)).together().flatten(1).equal(some_features(2) + 1));
  }
}

TEST(FeatureSource, LeavesHdf5OfImagesAlone) {
  const TemporaryDirectory folder;
  for (const char* name : {"image", "X", "images"}) {
    {
      WrittenFile file(folder / "x.h5");
      file.dataset(name, at::zeros({3, 4, 4}, at::kByte));
      file.dataset("features", some_features(3));
    }
    EXPECT_FALSE(open_images({folder / "x.h5"})->gives_features()) << name;
  }
  SourceOptions options{folder / "x.h5"};
  options.kind = "features";
  EXPECT_TRUE(open_images(options)->gives_features());
}

TEST(FeatureSource, IsToldFromOthersOfItsShape) {
  const TemporaryDirectory folder;
  const auto print_of = [&](const at::Tensor& features) {
    write_bytes(folder / "x.npy", npy_bytes(features));
    return open_images({folder / "x.npy"})->fingerprint();
  };
  const std::string first = print_of(some_features(40));
  EXPECT_EQ(print_of(some_features(40)), first);
  EXPECT_NE(print_of(some_features(40).flip(0)), first);
  EXPECT_NE(print_of(some_features(40) * 2), first);
}

TEST(FeatureSource, RefusesInOneSentence) {
  const TemporaryDirectory folder;
  const SourceOptions options{folder / "x.npy"};
  const auto refused = [&](const at::Tensor& values, const std::string& part, bool fortran_order = false) {
    write_bytes(options.path, npy_bytes(values, fortran_order));
    const std::string message = feature_refusal(options);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find("x.npy"), std::string::npos) << message;
  };
  refused(some_features(3).view({12}), "1 dimensions; 2 are expected");
  refused(some_features(3), "Fortran order", true);
  refused(at::arange(12, at::kLong).view({3, 4}), "numbers of type '<i8'");
  at::Tensor broken = some_features(3);
  broken[0][2] = std::numeric_limits<double>::infinity();
  refused(broken, "Row 0 of the data file");
  write_bytes(options.path, npy_bytes(some_features(3)).substr(0, 150));
  EXPECT_NE(feature_refusal(options).find("does not fit"), std::string::npos);
  write_bytes(options.path, npy_bytes(some_features(3)));
  SourceOptions with_size = options;
  with_size.view_side = 8;
  EXPECT_NE(feature_refusal(with_size).find("--image-size are for images"), std::string::npos);
  with_size = options;
  with_size.channels = 3;
  EXPECT_NE(feature_refusal(with_size).find("--data-channels"), std::string::npos);
  with_size.path = folder / "nowhere.npy";
  with_size.kind = "features";
  EXPECT_NE(feature_refusal(with_size).find("nowhere.npy"), std::string::npos);
}

TEST(FeatureSource, IsNormalisedFeatureByFeature) {
  const TemporaryDirectory folder;
  at::Tensor features = at::stack(
      {at::arange(100, at::kDouble) * 1e6, at::arange(100, at::kDouble) / 7 + 3e8, at::full({100}, 5.0, at::kDouble)},
      1);
  write_bytes(folder / "x.npy", npy_bytes(features));
  const auto source = open_images({folder / "x.npy"});
  const ViewFormat format = ViewFormat::of(*source);
  const at::Tensor views = whole_views(source->load(at::arange(100, at::kLong)), format).to(at::kDouble).flatten(1);
  EXPECT_LT(views.mean(0).abs().max().item<double>(), 1e-6);
  EXPECT_NEAR(views.select(1, 0).std(/*unbiased=*/false).item<double>(), 1.0, 1e-6);
  // Small differences of large numbers: fp32 would have lost them.
  EXPECT_NEAR(views.select(1, 1).std(/*unbiased=*/false).item<double>(), 1.0, 1e-6);
  EXPECT_EQ(views.select(1, 2).abs().max().item<double>(), 0.0);
}

}  // namespace
}  // namespace negatron::testing
