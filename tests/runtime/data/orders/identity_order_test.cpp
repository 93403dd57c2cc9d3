#include "runtime/data/orders/identity_order.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "runtime/data/batch_source.h"
#include "runtime/data/sources/images_in_memory.h"

namespace negatron::testing {
namespace {

/// 12 identities with 3 to 25 images each.
at::Tensor uneven_labels() {
  std::vector<std::int64_t> labels;
  for (std::int64_t identity = 0; identity < 12; ++identity) {
    for (std::int64_t i = 0; i < 3 + 2 * identity; ++i) labels.push_back(identity);
  }
  return at::tensor(labels, at::kLong);
}

/// How many images of each identity lie in [begin, begin + size) of an order.
std::map<std::int64_t, std::int64_t> identities_in(const at::Tensor& order, const at::Tensor& labels,
                                                   std::int64_t begin, std::int64_t size) {
  std::map<std::int64_t, std::int64_t> counts;
  for (std::int64_t i = begin; i < begin + size; ++i) {
    ++counts[labels[order[i].item<std::int64_t>()].item<std::int64_t>()];
  }
  return counts;
}

TEST(IdentityOrder, HasEverySampleOnceAndBatchesOfIdentities) {
  const at::Tensor labels = uneven_labels();  // 168
  constexpr std::int64_t kIdentities = 4;
  constexpr std::int64_t kImages = 3;
  for (const std::int64_t epoch : {0, 1, 2}) {
    const at::Tensor order = identity_order(labels, {kIdentities, kImages}, 5, epoch);
    EXPECT_TRUE(std::get<0>(order.sort()).equal(at::arange(labels.size(0), at::kLong)));
    // 52 full groups: even the identity with eight of them finds three others for each.
    std::int64_t batches = 0;
    for (; (batches + 1) * kIdentities * kImages <= labels.size(0); ++batches) {
      const auto counts = identities_in(order, labels, batches * kIdentities * kImages, kIdentities * kImages);
      if (counts.size() != kIdentities || counts.begin()->second != kImages) break;
      for (const auto& [identity, count] : counts) EXPECT_EQ(count, kImages);
    }
    EXPECT_GE(batches, 11);
  }
  EXPECT_TRUE(identity_order(labels, {4, 3}, 5, 1).equal(identity_order(labels, {4, 3}, 5, 1)));
  EXPECT_FALSE(identity_order(labels, {4, 3}, 5, 1).equal(identity_order(labels, {4, 3}, 5, 2)));
  EXPECT_FALSE(identity_order(labels, {4, 3}, 5, 1).equal(identity_order(labels, {4, 3}, 6, 1)));
}

TEST(IdentityOrder, PutsWhatMakesNoBatchAtTheEnd) {
  // One identity with most images, one with too few, and images without a label.
  const at::Tensor labels = at::cat({at::zeros({20}, at::kLong), at::ones({4}, at::kLong), at::full({1}, 2, at::kLong),
                                     at::full({3}, -1, at::kLong)});
  const at::Tensor order = identity_order(labels, {2, 2}, 9, 0);
  EXPECT_TRUE(std::get<0>(order.sort()).equal(at::arange(28, at::kLong)));
  for (const std::int64_t batch : {0, 1}) {
    EXPECT_EQ(identities_in(order, labels, 4 * batch, 4), (std::map<std::int64_t, std::int64_t>{{0, 2}, {1, 2}}));
  }
  EXPECT_EQ(identities_in(order, labels, 8, 16).size(), 1u);
  const auto last = identities_in(order, labels, 24, 4);
  EXPECT_EQ(last, (std::map<std::int64_t, std::int64_t>{{-1, 3}, {2, 1}}));
}

TEST(IdentityOrder, IsThatOfTheBatchesOfAllRanks) {
  const auto images = std::make_shared<const ImagesInMemory>(at::zeros({50, 1, 6, 6}, at::kByte),
                                                             at::arange(50, at::kLong).remainder(5));
  BatchOptions options;
  options.global_batch = 12;
  options.identities = 4;
  const BatchSource alone(images, options);
  for (std::int64_t index = 0; index < 3; ++index) {
    const Batch whole = alone.build(2, index);
    std::map<std::int64_t, std::int64_t> counts;
    for (std::int64_t i = 0; i < 12; ++i) ++counts[whole.labels[i].item<std::int64_t>()];
    EXPECT_EQ(counts.size(), 4u);
    for (const auto& [identity, count] : counts) EXPECT_EQ(count, 3) << identity;
    std::vector<at::Tensor> parts;
    for (int rank = 0; rank < 3; ++rank) {
      options.rank = rank;
      options.ranks = 3;
      parts.push_back(BatchSource(images, options).build(2, index).ids);
    }
    options.rank = 0;
    options.ranks = 1;
    EXPECT_TRUE(at::cat(parts).equal(whole.ids));
  }
}

}  // namespace
}  // namespace negatron::testing
