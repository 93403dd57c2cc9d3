// What a run makes anew between its steps: an index, what is mined in it, and the order of an epoch.

#include "runtime/run/refresh_jobs.h"

#include <set>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/data/data_error.h"
#include "runtime/data/sound_images.h"
#include "runtime/run/mined_samples.h"
#include "samplers/bank/random_rows.h"
#include "samplers/exchange/nearest_samples.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

PretrainOptions indexed_options(const std::string& sampler, const std::string& sampler_options) {
  PretrainOptions options = with_index(small_options("info-nce"));
  options.sampler = sampler;
  options.sampler_options = sampler_options;
  options.baselines = false;
  options.evaluate_every = 0;
  options.epochs = 4;
  options.snapshots.every = parse_snapshot_interval("never");
  return options;
}

/// rectangles() of which some cannot be read, under a name of their own.
class SomeUnreadable : public ImageSource {
 public:
  explicit SomeUnreadable(std::set<std::int64_t> unreadable) : unreadable_(std::move(unreadable)) {}
  std::int64_t size() const override { return images_->size(); }
  std::int64_t channels() const override { return images_->channels(); }
  ImageSize view_size() const override { return images_->view_size(); }
  at::Tensor labels() const override { return images_->labels(); }
  std::string fingerprint() const override { return "some of which cannot be read"; }
  DecodedImages load(const at::Tensor& ids) const override {
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      if (unreadable_.contains(ids[i].item<std::int64_t>())) throw DataError("It cannot be read.");
    }
    return images_->load(ids);
  }

 private:
  std::shared_ptr<const ImageSource> images_ = rectangles();
  std::set<std::int64_t> unreadable_;
};

std::shared_ptr<const ImageSource> with_broken_images(std::set<std::int64_t> unreadable) {
  return std::make_shared<const SoundImages>(std::make_shared<const SomeUnreadable>(std::move(unreadable)), nullptr);
}

std::vector<double> losses_on(int ranks, const PretrainOptions& options) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = options;
  start.ranks = ranks;
  start.precision = Precision::kFp64;
  start.run_directory = folder / "run";
  run(start);
  return step_losses(start.run_directory);
}

/// The property of the project, for what is made between steps: 20 steps of runs from end to end.
void expect_same_losses_of_runs(const PretrainOptions& options) {
  const std::vector<double> alone = losses_on(1, options);
  ASSERT_EQ(alone.size(), 20U);
  EXPECT_GT(std::abs(alone.front() - alone.back()), 1e-3);
  for (const int ranks : {2, 3, 4}) {
    const std::vector<double> many = losses_on(ranks, options);
    ASSERT_EQ(many.size(), alone.size());
    for (std::size_t step = 0; step < alone.size(); ++step) {
      EXPECT_NEAR(many[step], alone[step], 1e-12 * std::abs(alone[step])) << ranks << " ranks, step " << step;
    }
  }
}

TEST(RefreshedRun, HasTheSameLossesOnAnyNumberOfRanks) {
  PretrainOptions options = indexed_options("ance", "n=2,top=9,draw=5");
  {
    SCOPED_TRACE("ance");
    expect_same_losses_of_runs(options);
  }
  {
    SCOPED_TRACE("ance with bank and batch, in parts, every 7 steps");
    options.sampler_options = "top=9,draw=5,bank=on";
    options.negatives = NegativeSource::kBankAndBatch;
    options.refresh_every = {RunInterval::Unit::kSteps, 7};
    options.accumulate = 2;
    expect_same_losses_of_runs(options);
  }
  {
    SCOPED_TRACE("an index as dictionary");
    expect_same_losses_of_runs(indexed_options("top-n", "n=20,skip=1"));
  }
  {
    SCOPED_TRACE("similar batches");
    PretrainOptions similar = indexed_options("whole-bank", "");
    similar.bank_kind = BankKind::kQueue;
    similar.negatives = NegativeSource::kBatch;
    similar.batch_order = BatchOrder::kSimilar;
    similar.batch_similar = 0.8;
    expect_same_losses_of_runs(similar);
  }
}

/// Losses of a run whose index is never made anew are others from the second epoch on, and those of one whose index is
/// made anew before every step from the second step on.
TEST(RefreshedRun, DependsOnWhenTheIndexIsMadeAnew) {
  PretrainOptions options = indexed_options("whole-bank", "");
  const std::vector<double> every_epoch = losses_on(1, options);
  options.refresh_every = {RunInterval::Unit::kNever, 1};
  const std::vector<double> never = losses_on(1, options);
  options.refresh_every = {RunInterval::Unit::kSteps, 1};
  const std::vector<double> every_step = losses_on(1, options);
  for (std::size_t step = 0; step < 5; ++step) EXPECT_EQ(every_epoch[step], never[step]);
  EXPECT_NE(every_epoch[5], never[5]);
  EXPECT_EQ(every_epoch[0], every_step[0]);
  EXPECT_NE(every_epoch[1], every_step[1]);
}

TEST(RefreshedRun, TellsWhatItMade) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = indexed_options("ance", "top=9,draw=5");
  start.options.refresh_every = {RunInterval::Unit::kEpochs, 2};
  start.options.batch_order = BatchOrder::kSimilar;
  start.run_directory = folder / "run";
  std::string said;
  start.said = &said;
  run(start);
  const auto lines = metrics_lines(start.run_directory, "refresh");
  ASSERT_EQ(lines.size(), 4U);
  for (std::size_t epoch = 0; epoch < lines.size(); ++epoch) {
    EXPECT_EQ(lines[epoch].at("step"), 5 * epoch);
    EXPECT_EQ(lines[epoch].contains("index_seconds"), epoch % 2 == 0);
    EXPECT_EQ(lines[epoch].contains("mining_seconds"), epoch % 2 == 0);
    EXPECT_TRUE(lines[epoch].contains("order_seconds"));
    EXPECT_NEAR(lines[epoch].at("batch_similar").get<double>(), 0.5 * static_cast<double>(epoch) / 3.0, 1e-12);
    const double same_label = lines[epoch].at("batch_same_label");
    EXPECT_TRUE(same_label > 0.0 && same_label < 1.0) << same_label;
  }
  EXPECT_NE(said.find("index made anew in "), std::string::npos) << said;
  const auto steps = metrics_lines(start.run_directory, "step");
  for (const auto& line : steps) {
    EXPECT_TRUE(line.contains("mined_same_label"));
    EXPECT_LE(line.at("mined_similarity").get<double>(), 1.0 + 1e-6);
    // Rows were written at the last refresh: of steps 0 to 9 that is step 0.
    EXPECT_EQ(line.at("bank_age").get<double>(), line.at("step").get<std::int64_t>() % 10);
  }
}

/// A broken image is replaced by the next one, which has a row of its own.
TEST(RefreshedRun, KeepsBrokenImagesOutOfTheIndex) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = indexed_options("ance", "top=4,draw=3,n=3");
  start.data.train = with_broken_images({7, 20});
  start.data.test = rectangles();
  start.ranks = 2;
  start.run_directory = folder / "run";
  start.options.snapshots.every = parse_snapshot_interval("1epoch");
  run(start);
  const Saved saved = newest_saved(start.run_directory);
  const at::Tensor rows = saved.keys.vectors.to(at::kDouble);
  const at::Tensor random = random_unit_rows(start.options.seed, 0, 50, rows.size(1)).to(at::kDouble);
  for (std::int64_t sample = 0; sample < 50; ++sample) {
    const bool is_broken = sample == 7 || sample == 20;
    EXPECT_EQ(at::allclose(rows[sample], random[sample], 1e-6, 1e-6), is_broken) << sample;
  }
}

/// Rows of other images say nothing: they are made anew at once.
TEST(RefreshedRun, MakesItsIndexAnewWhenItGoesOnWithOtherImages) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = indexed_options("ance", "top=9,draw=5");
  start.options.refresh_every = {RunInterval::Unit::kNever, 1};
  start.options.max_steps = 7;
  start.options.snapshots.every = parse_snapshot_interval("1epoch");
  start.run_directory = folder / "run";
  run(start);
  start.resume = "auto";
  start.options.max_steps = 9;
  run(start);
  EXPECT_EQ(metrics_lines(start.run_directory, "refresh").size(), 2U);
  const auto again = metrics_lines(start.run_directory, "refresh").back();
  EXPECT_EQ(again.at("step"), 7);
  EXPECT_TRUE(again.contains("mining_seconds") && !again.contains("index_seconds"));
  start.options.max_steps = 10;
  start.data.train = with_broken_images({});
  start.data.test = rectangles();
  std::string said;
  start.said = &said;
  run(start);
  const auto renewed = metrics_lines(start.run_directory, "refresh").back();
  EXPECT_EQ(renewed.at("step"), 9);
  EXPECT_TRUE(renewed.contains("index_seconds"));
  EXPECT_NE(said.find("--data are not the images"), std::string::npos) << said;
  EXPECT_EQ(said.find("are replaced"), std::string::npos) << said;
}

TEST(MinedSamples, AreDistinctOnesOfTheNearestEachAsOften) {
  constexpr std::int64_t kThere = 41;
  constexpr std::int64_t kTimes = 400;
  const Mining mining{6, 3, 1};
  run_ranks(2, {.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    Bank bank({kThere, 5, at::kFloat, at::kCPU, BankFill::kRandom, 7, 8, BankKind::kIndex}, comm.rank(), comm.size());
    BankExchange exchange;
    const Range own = share(kThere, comm.size(), comm.rank());
    at::Tensor near;
    nearest_samples(comm, bank, exchange, mining.nearest,
                    [&near](const Range&, const at::Tensor& found) { near = found; });
    at::Tensor times = at::zeros({own.size(), mining.nearest});
    at::Tensor first = at::zeros({own.size(), mining.nearest});
    for (std::int64_t step = 0; step < kTimes; ++step) {
      const at::Tensor mined = mined_samples(comm, bank, exchange, {mining, 9, step});
      ASSERT_EQ(mined.sizes(), (std::vector<std::int64_t>{kThere, mining.drawn}));
      const at::Tensor is_drawn =
          (mined.slice(0, own.begin, own.end).unsqueeze(1) == near.unsqueeze(2)).sum(2);  // [n, nearest]
      EXPECT_TRUE((is_drawn.sum(1) == mining.drawn).all().item<bool>());
      times += is_drawn;
      first += mined.slice(0, own.begin, own.end).select(1, 0).unsqueeze(1) == near;
    }
    // Each is drawn half of the times, with a deviation of 10: one false alarm in some million.
    EXPECT_LT((times - kTimes / 2).abs().max().item<double>(), 60.0);
    EXPECT_GT(times.std().item<double>(), 5.0);
    // And the first of a list, which may be the only one that is met, each a sixth of the times, with a deviation
    // of 7.5.
    EXPECT_LT((first - kTimes / 6.0).abs().max().item<double>(), 45.0);
  });
}

TEST(RefreshedRun, RefusesWhatDoesNotGoTogether) {
  const auto refusal = [](PretrainOptions options) { return refusal_of(options); };
  PretrainOptions options = indexed_options("ance", "");
  options.bank_kind = BankKind::kMemory;
  EXPECT_NE(refusal(options).find("--sampler ance needs an index of all samples: --bank-kind index"),
            std::string::npos);
  options = indexed_options("ance", "draw=30,top=20");
  EXPECT_NE(refusal(options).find("draw must not exceed top"), std::string::npos);
  options = indexed_options("ance", "");
  options.symmetric = true;
  EXPECT_NE(refusal(options).find("--symmetric goes with a key encoder"), std::string::npos);
  options = indexed_options("whole-bank", "");
  options.negatives = NegativeSource::kBatch;
  EXPECT_NE(refusal(options).find("--bank-kind index goes with --negatives bank"), std::string::npos);
  options = indexed_options("whole-bank", "");
  options.bank_fill = BankFill::kFeatures;
  EXPECT_NE(refusal(options).find("leave --bank-fill out"), std::string::npos);
  options = indexed_options("whole-bank", "");
  options.batch_order = BatchOrder::kSimilar;
  options.batch_identities = 4;
  EXPECT_NE(refusal(options).find("--batch-order similar and --batch-identities"), std::string::npos);
  try {
    require_samples_to_mine(resolve_contrast(indexed_options("ance", "")), 20);
    ADD_FAILURE() << "20 drawn of 19 others";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("draws 20 other samples for each, and the data have 20"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace negatron::testing
