// The kernel of AMX, on emulated tiles and as compiled, against the plain pass, a full sort, and the kernel of AVX-512
// with bf16.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "samplers/cpu/cpu_isa.h"
#include "samplers/cpu/task_threads.h"
#include "samplers/pass/cpu/fast_run.h"
#include "samplers/pass/kernel_trial.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/cpu/amx/emulated_kernel.h"
#include "tests/samplers/pass/cpu/amx/emulated_tiles.h"
#include "tests/samplers/pass/cpu/amx/guarded_pages.h"
#include "tests/samplers/pass/cpu/amx/trapped_tiles.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::make_rows;
using testing::plain_request;
using testing::unit;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// FastPass with a kernel of one's own, in memory that held no numbers before.
class KernelPass : public Pass {
 public:
  explicit KernelPass(const PassKernel& kernel) : kernel_(kernel) {}
  PassResult run(const Rows& rows, const PassRequest& request) const override {
    constexpr std::int64_t kMore = 1 << 20;
    std::fill_n(thread_memory(kMore), kMore, kNaN);
    return FastRun(kernel_, RowFormat::kBf16, rows, request).run();
  }

 private:
  const PassKernel& kernel_;
};

/// The kernel's code on emulated tiles, and its instructions: on the processor's tiles, or emulated where it has none.
enum class Tiles { kEmulated, kOfInstructions };

class AmxPass : public ::testing::TestWithParam<Tiles> {
 protected:
  void SetUp() override {
    if (!has_isa(CpuIsa::kAvx512Bf16)) GTEST_SKIP() << "everything but the tiles is code for AVX-512 with bf16";
    if (GetParam() == Tiles::kEmulated) return;
    if (amx_bf16_pass_kernel() == nullptr) GTEST_SKIP() << "the compiler of this build knows no AMX";
    if (!has_isa(CpuIsa::kAmxBf16)) trapped_.emplace();
  }
  static const PassKernel& kernel() {
    return GetParam() == Tiles::kEmulated ? testing::emulated_amx_kernel() : *amx_bf16_pass_kernel();
  }
  static PassResult run(const Rows& rows, const PassRequest& request) {
    return KernelPass(kernel()).run(rows, request);
  }
  static double longest(const at::Tensor& vectors) { return vectors.to(at::kDouble).norm(2, 1).max().item<double>(); }
  /// Beside the kernel of AVX-512 scores are the same but for their last bits, so a weight is the same or its neighbour
  /// in bf16.
  static void expect_right(const Rows& rows, const PassRequest& request) {
    constexpr double kLastBits = 2e-6, kNeighbour = 0x1p-7;
    SCOPED_TRACE(::testing::Message() << rows.vectors.sizes() << " " << request.candidates.queries.sizes());
    testing::expect_equal_to_plain(KernelPass(kernel()), rows, request);
    const PassResult known = KernelPass(avx512_bf16_pass_kernel()).run(rows, request);
    const PassResult result = run(rows, request);
    const double largest_score = longest(rows.vectors) * longest(request.candidates.queries);
    EXPECT_TRUE(at::allclose(result.max, known.max, 0.0, kLastBits * largest_score));
    EXPECT_LE(distance(result, known, request), kNeighbour);
  }

  std::optional<testing::TrappedTiles> trapped_;
};
INSTANTIATE_TEST_SUITE_P(Tiles, AmxPass, ::testing::Values(Tiles::kEmulated, Tiles::kOfInstructions),
                         [](const auto& tested) {
                           return std::string(tested.param == Tiles::kEmulated ? "Emulated" : "OfInstructions");
                         });

Rows bf16_rows(std::int64_t count, std::int64_t width, const at::Tensor& valid = at::Tensor()) {
  return make_rows(unit(count, width, 1).to(at::kBFloat16), valid);
}

/// Rows of lengths 0.01 to 30: queries in two parts.
TEST_P(AmxPass, EqualsPlainOverRawRows) {
  const at::Tensor lengths = at::logspace(-2.0, std::log10(30.0), 300, 10.0, at::kDouble).unsqueeze(1);
  Rows rows = make_rows((unit(300, 72, 1) * lengths).to(at::kBFloat16));
  rows.length = RowLength::kAsMade;
  const at::Tensor queries = (unit(20, 72, 2) * lengths.narrow(0, 280, 20)).to(at::kFloat);
  expect_right(rows, plain_request(queries, {1.0}));
  expect_right(rows, plain_request(unit(20, 72, 2), {3.0, 0.5}));
}

TEST_P(AmxPass, IsRightInEveryWidth) {
  for (const std::int64_t width : {1, 2, 5, 15, 16, 17, 31, 32, 33, 48, 64, 96, 128, 200}) {
    // Queries in one part and in two.
    for (const double tau : {0.2, 0.01}) {
      expect_right(bf16_rows(1300, width), plain_request(unit(5, width, 2), {1.0 / tau}));
    }
  }
}

TEST_P(AmxPass, IsRightForRowsThatFillNoTile) {
  for (const std::int64_t width : {24, 32}) {
    for (const std::int64_t count : {1, 2, 15, 16, 17, 31, 32, 33, 48, 79, 95, 96, 97, 128, 1023}) {
      expect_right(bf16_rows(count, width), plain_request(unit(3, width, 2), {5.0}));
    }
  }
}

TEST_P(AmxPass, IsRightForQueriesThatFillNoGroup) {
  for (const std::int64_t count : {1, 16, 17, 33, 48, 50, 64, 65, 300}) {
    expect_right(bf16_rows(110, 40), plain_request(unit(count, 40, 2), {10.0, 60.0}));
  }
}

TEST_P(AmxPass, IsRightForTwoTermsAndTies) {
  const Rows rows = bf16_rows(700, 32, at::arange(700).remainder(10) < 7);
  for (const std::vector<double>& scales :
       std::vector<std::vector<double>>{{15.0, 10.0}, {5.0, 0.0}, {100.0, 2.0}, {-4.0, 100.0}, {2.0, 2.0}}) {
    testing::expect_equal_to_plain(KernelPass(kernel()), rows, plain_request(unit(6, 32, 2), scales));
  }
  const at::Tensor query = unit(1, 16, 3);
  const at::Tensor vectors = at::cat({query.expand({700, 16}), unit(1, 16, 4).expand({700, 16}), -query});
  PassRequest request = plain_request(at::cat({query, -query, unit(2, 16, 4)}), {100.0, 1.0});
  expect_right(make_rows(vectors.to(at::kBFloat16)), request);
  request.bias = at::linspace(-300.0, 300.0, 1401, at::kDouble);
  expect_right(make_rows(vectors.to(at::kBFloat16)), request);
}

TEST_P(AmxPass, IsRightWithHolesBiasAndExclusions) {
  at::Tensor valid = at::arange(1500).remainder(3) != 0;
  valid.narrow(0, 0, 700).fill_(false);
  valid[1].fill_(true);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {100.0, 1.0}}) {
    PassRequest request = plain_request(unit(70, 40, 2), scales);
    request.bias = at::linspace(-3.0, 3.0, 1500, at::kDouble);
    request.candidates.exclusions =
        at::tensor({0, 1, 3, 1, 69, 1, 3, 1498, 65, 1000, 68, 1498}, at::kLong).view({-1, 2});
    expect_right(bf16_rows(1500, 40, valid), request);
  }
}

TEST_P(AmxPass, FindsTheBestRows) {
  const Rows rows = bf16_rows(3000, 40, at::arange(3000).remainder(9) != 2);
  for (const std::int64_t m : {1, 50}) {
    PassRequest request;
    request.candidates.queries = unit(20, 40, 2);
    request.best = m;
    FastRun run(kernel(), RowFormat::kBf16, rows, request);
    EXPECT_TRUE(at::equal(run.run().best, testing::plain_best_keys(rows, request.candidates, {}, m))) << m;
    EXPECT_EQ(run.open_queries().numel(), 0) << m;
  }
}

TEST_P(AmxPass, NotesTheBestRowsOfNumbersBelowTheNormalOnes) {
  // Products of them are 0 to a tile.
  const Rows rows = make_rows((unit(600, 40, 1) * 1e-19).to(at::kBFloat16));
  PassRequest request;
  request.candidates.queries = unit(20, 40, 2) * 1e-19;
  request.best = 10;
  FastRun run(kernel(), RowFormat::kBf16, rows, request);
  const at::Tensor found = run.run().best;
  const at::Tensor expected = testing::plain_best_keys(rows, request.candidates, {}, 10);
  for (std::int64_t query = 0; query < 20; ++query) {
    const bool open = run.open_queries().eq(query).any().item<bool>();
    EXPECT_TRUE(open || at::equal(found[query], expected[query])) << query;
  }
}

TEST_P(AmxPass, TakesNothingThatIsNoRow) {
  for (const std::int64_t width : {24, 32, 33}) {
    for (const std::int64_t count : {1, 33, 97, 112}) {
      const at::Tensor vectors = at::full({count + 64, width}, kNaN, at::kBFloat16);
      vectors.narrow(0, 32, count).copy_(unit(count, width, 1));
      expect_right(make_rows(vectors.narrow(0, 32, count)), plain_request(unit(3, width, 2), {5.0}));
    }
  }
}

TEST_P(AmxPass, ReadsNothingBehindTheLastRow) {
  for (const std::int64_t width : {1, 24, 32, 33}) {
    for (const std::int64_t count : {1, 33, 97}) {
      const at::Tensor drawn = unit(count, width, 1).to(at::kBFloat16);
      const testing::GuardedPages pages(static_cast<std::int64_t>(drawn.nbytes()));
      const at::Tensor vectors = at::from_blob(pages.end() - drawn.nbytes(), drawn.sizes(), at::kBFloat16);
      vectors.copy_(drawn);
      expect_right(make_rows(vectors), plain_request(unit(3, width, 2), {5.0}));
    }
  }
}

TEST_P(AmxPass, RowsThatAreNotFiniteShowInTheGradient) {
  for (const float broken : {kNaN, std::numeric_limits<float>::infinity()}) {
    const Rows rows = bf16_rows(1500, 33);
    rows.vectors[700][32].fill_(broken);
    const PassResult result = run(rows, plain_request(unit(4, 33, 2), {5.0}));
    EXPECT_FALSE(at::isfinite(result.terms[0].gradient).all().item<bool>()) << broken;
  }
}

TEST_P(AmxPass, HasTheSameBitsForThreadsAndSplitsOfQueries) {
  const int threads = at::get_num_threads();
  const Rows rows = bf16_rows(2500, 48, at::arange(2500).remainder(11) != 4);
  const at::Tensor queries = unit(130, 48, 2);
  const auto answer = [&](std::int64_t begin, std::int64_t count) {
    return run(rows, plain_request(queries.narrow(0, begin, count), {14.0, 3.0}));
  };
  at::set_num_threads(1);
  const PassResult alone = answer(0, 130);
  at::set_num_threads(3);
  for (const auto& [begin, count] : std::vector<std::pair<int, int>>{{0, 130}, {0, 1}, {7, 16}, {30, 70}, {129, 1}}) {
    const PassResult part = answer(begin, count);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(at::equal(part.terms[i].value, alone.terms[i].value.narrow(0, begin, count)));
      EXPECT_TRUE(at::equal(part.terms[i].gradient, alone.terms[i].gradient.narrow(0, begin, count)));
    }
  }
  at::set_num_threads(threads);
}

TEST_P(AmxPass, LeavesNoTilesBehind) {
  run(bf16_rows(10, 8), plain_request(unit(1, 8, 2), {5.0}));
  EXPECT_FALSE(testing::EmulatedTiles::of_this_thread().configured());
}

}  // namespace
}  // namespace negatron
