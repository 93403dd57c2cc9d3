// FaceNet's triplets of a batch against the definition, one pair after the other, with autograd.

#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/objectives/triplet_in_batch.h"
#include "tests/samplers/contrast/contrast_job.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kPictures = 9;
constexpr double kTripletMargin = 0.9;

/// Labels of unlike frequency, one that is alone, one that is unknown; some views tie.
ContrastJob picture_job() {
  ContrastJob job;
  job.raw_queries = random_unit_rows(5, 0, kPictures, 4).to(at::kDouble);
  job.raw_keys = job.raw_queries + 0.7 * random_unit_rows(6, 0, kPictures, 4).to(at::kDouble);
  job.raw_queries[6].copy_(job.raw_queries[2]);
  job.raw_keys[8].copy_(2.0 * job.raw_keys[1]);
  job.labels = at::tensor({0, 1, 0, 2, 1, -1, 3, 0, 1}, at::kLong);
  job.objective = "triplet-in-batch";
  job.objective_options = "margin=0.9";
  job.source = NegativeSource::kBatch;
  job.train_keys = true;
  return job;
}

struct PlainTriplets {
  double loss = 0.0;
  std::int64_t count = 0;
  at::Tensor by_queries;
  at::Tensor by_keys;
};

/// The hardest negative below the positive and within the margin; with the fallback else the hardest within it.
std::optional<std::int64_t> plain_choice(const at::Tensor& scores, const std::vector<std::int64_t>& negatives,
                                         double positive, bool falls_back) {
  std::optional<std::int64_t> best;
  for (const bool below : {true, false}) {
    if (best || (!below && !falls_back)) break;
    for (const std::int64_t view : negatives) {
      const auto score = static_cast<float>(scores[view].item<double>());
      const bool fits = score > static_cast<float>(positive - kTripletMargin / 2.0) &&
                        (!below || score < static_cast<float>(positive));
      if (fits && (!best || score > static_cast<float>(scores[*best].item<double>()))) best = view;
    }
  }
  return best;
}

PlainTriplets plainly(const ContrastJob& job, bool falls_back) {
  const at::Tensor queries = job.raw_queries.clone().requires_grad_(), keys = job.raw_keys.clone().requires_grad_();
  const auto unit = [](const at::Tensor& raw) { return raw / raw.norm(2, {-1}, true); };
  const at::Tensor views = at::cat({unit(queries), unit(keys)});
  const at::Tensor scores = views.detach().mm(views.detach().t());
  const at::Tensor labels = at::cat({job.labels, job.labels});
  const std::int64_t count = views.size(0);
  PlainTriplets plain;
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (std::int64_t anchor = 0; anchor < count; ++anchor) {
    std::vector<std::int64_t> positives, negatives;
    for (std::int64_t view = 0; view < count; ++view) {
      if (view == anchor) continue;
      const bool is_partner = view % kPictures == anchor % kPictures;
      const auto label = labels[anchor].item<std::int64_t>();
      const bool is_positive = is_partner || (label >= 0 && labels[view].item<std::int64_t>() == label);
      (is_positive ? positives : negatives).push_back(view);
    }
    for (const std::int64_t positive : positives) {
      const auto negative =
          plain_choice(scores[anchor], negatives, scores[anchor][positive].item<double>(), falls_back);
      if (!negative) continue;
      const auto squared_distance = [&](std::int64_t to) { return (views[anchor] - views[to]).square().sum(); };
      sum = sum + squared_distance(positive) - squared_distance(*negative) + kTripletMargin;
      ++plain.count;
    }
  }
  const at::Tensor loss = sum / static_cast<double>(plain.count);
  loss.backward();
  plain.loss = loss.item<double>();
  plain.by_queries = queries.grad();
  plain.by_keys = keys.grad();
  return plain;
}

TEST(TripletInBatch, TakesTheHardestThatIsStillFartherForEveryPairOfALabel) {
  for (const bool falls_back : {false, true}) {
    ContrastJob job = picture_job();
    if (falls_back) job.objective_options += ",fallback=violator";
    const PlainTriplets plain = plainly(job, falls_back);
    ASSERT_GT(plain.count, 20);
    for (const int ranks : {1, 2, 3, 4}) {
      SCOPED_TRACE(::testing::Message() << ranks << " ranks, " << falls_back);
      const ContrastAnswer actual = run_contrast(job, ranks);
      EXPECT_NEAR(actual.loss, plain.loss, 1e-12);
      EXPECT_EQ(actual.metrics.at("triplets"), static_cast<double>(plain.count));
      EXPECT_TRUE(at::allclose(actual.raw_query_gradient, plain.by_queries, 1e-10, 1e-12));
      EXPECT_TRUE(at::allclose(actual.raw_key_gradient, plain.by_keys, 1e-10, 1e-12));
    }
  }
}

/// More anchors than are looked at together, and several times as many views.
TEST(TripletInBatch, IsTheSameInSeveralBlocks) {
  constexpr std::int64_t kMany = 700;
  constexpr std::int64_t kDims = 3;
  static_assert(2 * kMany > 2 * TripletInBatch::kAnchorsAtOnce);
  ContrastJob job = picture_job();
  job.raw_queries = random_unit_rows(7, 0, kMany, kDims).to(at::kDouble);
  job.raw_keys = random_unit_rows(8, 0, kMany, kDims).to(at::kDouble);
  // Labels of unlike frequency, the most frequent one at the end alone.
  job.labels = at::arange(kMany, at::kLong).remainder(90);
  job.labels.slice(0, kMany - 20).fill_(1000);
  const at::Tensor views = at::cat({job.raw_queries, job.raw_keys});
  const at::Tensor unit = views / views.norm(2, {1}, true);
  const at::Tensor scores = unit.mm(unit.t());
  const auto score = scores.accessor<double, 2>();
  const auto label = job.labels.accessor<std::int64_t, 1>();
  double sum = 0.0;
  std::int64_t count = 0;
  at::Tensor named = at::zeros({2 * kMany, 2 * kMany}, at::kDouble);  // by anchor and view
  auto names = named.accessor<double, 2>();
  for (std::int64_t anchor = 0; anchor < 2 * kMany; ++anchor) {
    for (std::int64_t positive = 0; positive < 2 * kMany; ++positive) {
      if (positive == anchor || label[anchor % kMany] != label[positive % kMany]) continue;
      std::int64_t best = -1;
      for (std::int64_t view = 0; view < 2 * kMany; ++view) {
        if (label[view % kMany] == label[anchor % kMany]) continue;
        const auto s = static_cast<float>(score[anchor][view]);
        const auto own = static_cast<float>(score[anchor][positive]);
        if (s >= own || s <= static_cast<float>(score[anchor][positive] - kTripletMargin / 2.0)) continue;
        if (best < 0 || s > static_cast<float>(score[anchor][best])) best = view;
      }
      if (best < 0) continue;
      ++count;
      sum += 2.0 * (score[anchor][best] - score[anchor][positive]) + kTripletMargin;
      names[anchor][best] += 1.0;
      names[anchor][positive] -= 1.0;
    }
  }
  const at::Tensor gradient = 2.0 * (named.mm(unit) + named.t().mm(unit)) / static_cast<double>(count);
  for (const int ranks : {1, 2}) {
    const ContrastAnswer actual = run_contrast(job, ranks);
    EXPECT_EQ(actual.metrics.at("triplets"), static_cast<double>(count));
    EXPECT_NEAR(actual.loss, sum / static_cast<double>(count), 1e-11);
    EXPECT_TRUE(at::allclose(actual.unit_query_gradient, gradient.narrow(0, 0, kMany), 1e-9, 1e-12));
    EXPECT_TRUE(at::allclose(actual.unit_key_gradient, gradient.narrow(0, kMany, kMany), 1e-9, 1e-12));
  }
}

TEST(TripletInBatch, OfOneSampleOrOneLabelIsNothing) {
  ContrastJob job = picture_job();
  job.labels = at::zeros({kPictures}, at::kLong);
  const ContrastAnswer one_label = run_contrast(job, 2);
  EXPECT_EQ(one_label.loss, 0.0);
  EXPECT_EQ(one_label.raw_query_gradient.abs().max().item<double>(), 0.0);
  job.labels = job.labels.narrow(0, 0, 1);
  job.raw_queries = job.raw_queries.narrow(0, 0, 1);
  job.raw_keys = job.raw_keys.narrow(0, 0, 1);
  // The other ranks have no sample at all.
  EXPECT_EQ(run_contrast(job, 3).loss, 0.0);
}

TEST(TripletInBatch, ChoosesAlikeInSinglePrecision) {
  ContrastJob job = picture_job();
  const ContrastAnswer expected = run_contrast(job, 1);
  for (at::Tensor* rows : {&job.raw_queries, &job.raw_keys}) *rows = rows->to(at::kFloat);
  for (const int ranks : {1, 3}) {
    const ContrastAnswer actual = run_contrast(job, ranks);
    EXPECT_EQ(actual.metrics.at("triplets"), expected.metrics.at("triplets"));
    EXPECT_NEAR(actual.loss, expected.loss, 1e-5);
  }
}

}  // namespace
}  // namespace negatron::testing
