// The gradient of any terms by the rows that queries met, over ranks: against central differences of the terms, under
// masks, holes and weights; and its bytes.

#include "samplers/exchange/rows/row_gradient.h"

#include <functional>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/exchange/bank_exchange.h"

namespace negatron {
namespace {

constexpr std::int64_t kSceneRows = 9;
constexpr std::int64_t kSceneWidth = 3;
constexpr std::int64_t kSceneQueries = 5;

at::Tensor waves(std::int64_t count, double seed) {
  const at::Tensor rows = at::sin(at::arange(count * kSceneWidth, at::kDouble).view({count, kSceneWidth}) * 1.9 + seed);
  return rows / rows.norm(2, {1}, true);
}

at::Tensor part_of_rank(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size()).contiguous();
}

ScoreTerm term_of(TermShape shape, Reduction reduction, double scale, double offset) {
  ScoreTerm term;
  term.shape = shape;
  term.reduction = reduction;
  term.scale = scale;
  term.offset = offset;
  term.weight_scale = 2.0;
  return term;
}

struct RowScene {
  std::vector<ScoreTerm> terms;
  NegativeRequest request;
  at::Tensor rows = waves(kSceneRows, 0.5);
  /// How much of the bank is there: the rest are holes.
  std::int64_t filled = kSceneRows;
  /// Each term of query i counts with weight cos(i + term).
  at::ScalarType dtype = at::kDouble;
  GradientRows wanted = GradientRows::kAll;
};

struct RowAnswer {
  double loss = 0.0;
  at::Tensor gradient;     // [filled, d]
  std::int64_t bytes = 0;  // received by rank 0 for the gradient
};

RowAnswer run_scene(const RowScene& scene, int ranks) {
  RowAnswer answer;
  run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    Bank bank({kSceneRows, kSceneWidth, scene.dtype, at::kCPU, BankFill::kEmpty, 0, scene.filled}, comm.rank(),
              comm.size());
    const at::Tensor ids = at::arange(scene.filled, at::kLong);
    bank.enqueue(part_of_rank(comm, scene.rows.narrow(0, 0, scene.filled).to(scene.dtype)), part_of_rank(comm, ids),
                 part_of_rank(comm, ids.remainder(4)), 0, scene.filled);
    QueryBatch batch;
    batch.queries = part_of_rank(comm, waves(kSceneQueries, 4.0).to(scene.dtype));
    // The samples of queries 0, 1, ... have rows 3, 4, ... in the bank.
    batch.ids = part_of_rank(comm, at::arange(kSceneQueries, at::kLong) + 3);
    batch.labels = part_of_rank(comm, at::arange(kSceneQueries, at::kLong).remainder(4));
    batch.shares.sizes = share_sizes(kSceneQueries, comm.size());
    BankExchange exchange;
    NegativeRequest request = scene.request;
    request.keeps_met = true;
    if (request.row_log_weights.defined()) request.row_log_weights = part_of_rank(comm, request.row_log_weights);
    const NegativeResult result = exchange.run(comm, bank, batch, request, scene.terms);
    std::vector<TermShare> shares;
    double loss = 0.0;
    for (std::size_t i = 0; i < scene.terms.size(); ++i) {
      const at::Tensor weights = at::cos(at::arange(kSceneQueries, at::kDouble) + static_cast<double>(i));
      const at::Tensor by_term = part_of_rank(comm, weights.to(scene.dtype));
      const at::Tensor& value = result.scores.terms[i].value;
      loss += (by_term * value).masked_fill(value.isinf(), 0.0).sum().item<double>();
      shares.push_back({scene.terms[i], by_term, result.scores.terms[i]});
    }
    const at::Tensor total = at::full({1}, loss, at::kDouble);
    comm.all_reduce(total, ReduceOp::kSum);
    comm.traffic().start_step();
    const at::Tensor own =
        of_all_rows(row_gradient(comm, bank, result.met, shares, scene.wanted), bank.shard().rows.vectors.size(0));
    std::int64_t bytes = 0;
    for (const auto& [name, traffic] : comm.traffic().step()) bytes += traffic.bytes_received;
    // By slot: a bank that is not full has holes between its rows.
    const at::Tensor here = (bank.shard().rows.slots >= 0).nonzero().squeeze(1);
    const at::Tensor all = at::zeros({scene.filled, kSceneWidth}, own.options());
    all.index_copy_(0, bank.shard().rows.slots.index_select(0, here), own.index_select(0, here));
    comm.all_reduce(all, ReduceOp::kSum);
    if (comm.rank() == 0) answer = {total.item<double>(), all, bytes};
  });
  return answer;
}

at::Tensor differences(RowScene scene, int ranks) {
  constexpr double kNudge = 1e-6;
  const at::Tensor rows = scene.rows;
  at::Tensor gradient = at::zeros({scene.filled, kSceneWidth}, at::kDouble);
  for (std::int64_t row = 0; row < scene.filled; ++row) {
    for (std::int64_t i = 0; i < kSceneWidth; ++i) {
      const auto moved = [&](double step) {
        scene.rows = rows.clone();
        scene.rows[row][i] += step;
        return run_scene(scene, ranks).loss;
      };
      gradient[row][i] = (moved(kNudge) - moved(-kNudge)) / (2.0 * kNudge);
    }
  }
  return gradient;
}

void expect_right(const RowScene& scene, const std::string& name) {
  const RowAnswer alone = run_scene(scene, 1);
  EXPECT_GT(alone.gradient.abs().max().item<double>(), 1e-3) << name;
  EXPECT_LT((alone.gradient - differences(scene, 2)).abs().max().item<double>(), 1e-7) << name;
  for (const int ranks : {2, 3, 4}) {
    EXPECT_TRUE(at::allclose(run_scene(scene, ranks).gradient, alone.gradient, 1e-12, 1e-13)) << name << ", " << ranks;
  }
}

RowScene plain_scene() {
  RowScene scene;
  scene.request.exclude_own_sample = false;
  scene.terms = {term_of(TermShape::kLinear, Reduction::kLogSumExp, 5.0, 0.0)};
  return scene;
}

TEST(RowGradient, OfEachShapeOfTerm) {
  const std::vector<std::pair<std::string, ScoreTerm>> terms = {
      {"log-sum-exp", term_of(TermShape::kLinear, Reduction::kLogSumExp, 5.0, 0.3)},
      {"sharp", term_of(TermShape::kLinear, Reduction::kLogSumExp, 100.0, 0.0)},
      {"softplus", term_of(TermShape::kSoftplus, Reduction::kSum, 3.0, -1.0)},
      {"hinge", term_of(TermShape::kHinge, Reduction::kSum, 1.0, 0.2)},
      {"square", term_of(TermShape::kSquare, Reduction::kSum, 1.0, 0.1)},
      {"distance", term_of(TermShape::kMinusDistance, Reduction::kLogSumExp, 1.0, 1.0)},
      {"distance hinge", term_of(TermShape::kDistanceHingeSquared, Reduction::kSum, 1.0, 1.5)},
  };
  for (const auto& [name, term] : terms) {
    RowScene scene = plain_scene();
    scene.terms = {term};
    // Distances are between unit vectors, so moved rows need not have one: the derivative is by s all the same.
    expect_right(scene, name);
  }
}

TEST(RowGradient, OfSeveralTermsAtOnce) {
  RowScene scene = plain_scene();
  scene.terms.push_back(term_of(TermShape::kLinear, Reduction::kLogSumExp, 10.0, 0.0));
  scene.terms.push_back(term_of(TermShape::kSoftplus, Reduction::kSum, 2.0, 0.1));
  expect_right(scene, "three terms");
}

/// The weights of a softmax mean are constants, which differences do not know.
TEST(RowGradient, OfASoftmaxMean) {
  RowScene scene = plain_scene();
  scene.terms = {term_of(TermShape::kSoftplus, Reduction::kSoftmaxMean, 3.0, -1.0)};
  const at::Tensor queries = waves(kSceneQueries, 4.0);
  const at::Tensor scores = queries.mm(scene.rows.t());
  const at::Tensor weights = (2.0 * scores).softmax(1) * (3.0 * scores - 1.0).sigmoid() * 3.0 *
                             at::cos(at::arange(kSceneQueries, at::kDouble)).unsqueeze(1);
  for (const int ranks : {1, 3}) {
    EXPECT_TRUE(at::allclose(run_scene(scene, ranks).gradient, weights.t().mm(queries), 1e-12, 1e-14));
  }
}

TEST(RowGradient, UnderMasksHolesAndWeights) {
  const std::vector<std::pair<std::string, std::function<void(RowScene&)>>> rules = {
      {"own samples", [](RowScene& scene) { scene.request.exclude_own_sample = true; }},
      {"other labels", [](RowScene& scene) { scene.request.label_rule = LabelRule::kDifferent; }},
      {"holes", [](RowScene& scene) { scene.filled = 6; }},
      {"row weights",
       [](RowScene& scene) { scene.request.row_log_weights = at::linspace(-1.0, 1.0, kSceneRows, at::kDouble); }},
      {"set weight", [](RowScene& scene) { scene.request.sets[0].weight = 3.0; }},
      {"top 4", [](RowScene& scene) { scene.request.sets[0].last_rank = 4; }},
      {"lists", [](RowScene& scene) { scene.request.sets[0].uniform_slots = 7; }},
      {"two sets",
       [](RowScene& scene) {
         scene.request.sets.resize(2);
         scene.request.sets[0].last_rank = 3;
         scene.request.sets[1].first_rank = 5;
         scene.request.sets[1].weight = 0.5;
       }},
  };
  for (const auto& [name, apply] : rules) {
    RowScene scene = plain_scene();
    scene.terms.push_back(term_of(TermShape::kSoftplus, Reduction::kSum, 2.0, 0.1));
    apply(scene);
    expect_right(scene, name);
    // One plain term under a rule must not take the short way, which knows none.
    scene.terms.pop_back();
    expect_right(scene, name + ", one term");
    const at::Tensor of_all = run_scene(scene, 3).gradient;
    scene.wanted = GradientRows::kMet;
    EXPECT_TRUE(at::equal(run_scene(scene, 3).gradient, of_all)) << name;
  }
}

/// Its share would be e^200, beyond all numbers of fp32.
TEST(RowGradient, OfAnExcludedPairIsNoneHoweverLargeItsShareWouldBe) {
  RowScene scene = plain_scene();
  scene.request.exclude_own_sample = true;
  scene.terms[0].scale = 100.0;
  const at::Tensor first = waves(kSceneQueries, 4.0)[0];
  scene.rows = -first.repeat({kSceneRows, 1});
  scene.rows[3] = first;  // of the first query's sample
  const at::Tensor exact = run_scene(scene, 1).gradient;
  scene.dtype = at::kFloat;
  for (const int ranks : {1, 2}) {
    EXPECT_TRUE(at::allclose(run_scene(scene, ranks).gradient.to(at::kDouble), exact, 1e-3, 1e-3)) << ranks;
  }
}

TEST(RowGradient, OfAQueryThatMetNoRow) {
  RowScene scene = plain_scene();
  scene.request.sets[0].lower_score = at::full({kSceneQueries}, 2.0, at::kDouble);
  EXPECT_EQ(run_scene(scene, 1).gradient.abs().max().item<double>(), 0.0);
}

TEST(RowGradient, InSinglePrecision) {
  RowScene scene = plain_scene();
  scene.terms[0].scale = 100.0;
  const at::Tensor exact = run_scene(scene, 1).gradient;
  scene.dtype = at::kFloat;
  const at::Tensor found = run_scene(scene, 3).gradient;
  EXPECT_EQ(found.scalar_type(), at::kFloat);
  EXPECT_LT((found.to(at::kDouble) - exact).abs().max().item<double>(), 1e-4 * exact.abs().max().item<double>());
}

/// Three numbers of each query of others, for each term, and nothing of the size of a row.
TEST(RowGradient, SendsThreeNumbersAQueryAndTerm) {
  for (const int ranks : {1, 2, 4}) {
    RowScene scene = plain_scene();
    scene.terms.push_back(term_of(TermShape::kSoftplus, Reduction::kSum, 2.0, 0.1));
    const std::int64_t others = kSceneQueries - share(kSceneQueries, ranks, 0).size();
    EXPECT_EQ(run_scene(scene, ranks).bytes, others * 3 * 2 * 8);
  }
}

TEST(RowGradient, RefusesFurtherPositives) {
  RowScene scene = plain_scene();
  scene.request.positive_rule = PositiveRule::kSameLabel;
  scene.terms[0].rows = TermRows::kPositives;
  EXPECT_THROW(run_scene(scene, 1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
