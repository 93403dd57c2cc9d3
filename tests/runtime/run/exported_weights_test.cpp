// What a run has trained comes out of it whole: into files, and from there into other runs and into evaluation.

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/evaluation/score_features.h"
#include "runtime/run/exported_weights.h"
#include "runtime/run/initial_weights.h"
#include "runtime/run/saved_encoder.h"
#include "runtime/run/trained_encoder.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/weights/write_safetensors.h"
#include "runtime/weights/write_torch_file.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

class ExportedWeights : public ::testing::Test {
 protected:
  ExportedWeights() {
    start_.options = small_options("info-nce");
    start_.options.knn_k = 5;
    start_.options.evaluate_every = 0;
    start_.options.max_steps = 8;
    start_.ranks = 1;
    start_.run_directory = folder_ / "run";
  }

  SavedEncoder trained() {
    summary_ = run(start_);
    PosixFileLayer files;
    const std::filesystem::path newest = newest_path(start_.run_directory);
    return read_saved_encoder({newest, read_manifest(files, newest)});
  }

  /// As launch/export makes it of the run's settings.
  static ExportedRecipe recipe_of(const SavedEncoder& saved) {
    ExportedRecipe recipe;
    recipe.channels = saved.channels();
    recipe.format = {saved.inputs.view_size, saved.inputs.normalization.value()};
    recipe.settings = {{"encoder", "conv"}, {"tau", "0.2"}, {"encoder-channels", "8,16"}};
    return recipe;
  }

  std::string write(const SavedEncoder& saved, const ExportedParts& parts, bool torch_file) {
    const std::filesystem::path path = folder_ / (torch_file ? "export.pt" : "export.safetensors");
    std::filesystem::remove(path);
    PosixFileLayer files;
    const auto writer = torch_file ? write_torch_file : write_safetensors;
    writer(files, path, exported_weights(saved, parts), exported_facts(saved, recipe_of(saved)));
    return path.string();
  }

  TrainedEncoderOptions options_here() const { return {start_.options.encoder, 1, {12, 12}}; }

  const TemporaryDirectory folder_;
  SmallStart start_;
  PretrainSummary summary_;
};

std::map<std::string, at::Tensor> by_name(const NamedWeights& weights) {
  return {weights.begin(), weights.end()};
}

void expect_same_weights(const NamedWeights& a, const NamedWeights& b) {
  const auto left = by_name(a), right = by_name(b);
  ASSERT_EQ(left.size(), right.size());
  for (const auto& [name, tensor] : left) {
    ASSERT_TRUE(right.contains(name)) << name;
    EXPECT_EQ(tensor.scalar_type(), right.at(name).scalar_type()) << name;
    EXPECT_TRUE(at::equal(tensor, right.at(name))) << name;
  }
}

TEST_F(ExportedWeights, ComeBackFromEitherFormatWithAllThatIsSaidOfThem) {
  const SavedEncoder saved = trained();
  EXPECT_EQ(saved.inputs.channels, 1);
  EXPECT_EQ(saved.inputs.view_size, (ImageSize{12, 12}));
  EXPECT_EQ(saved.step, 8);
  for (const bool torch_file : {false, true}) {
    const std::string path = write(saved, {.head = true, .key_encoder = true}, torch_file);
    const SavedWeights read = read_saved_weights(path);
    expect_same_weights(exported_weights(saved, {true, true}), {read.begin(), read.end()});
    const SavedEncoder back = read_encoder_file(path);
    expect_same_weights(saved.tensors, back.tensors);
    EXPECT_EQ(back.inputs.normalization, saved.inputs.normalization);
    EXPECT_EQ(back.inputs.view_size, saved.inputs.view_size);
    EXPECT_EQ(back.inputs.channels, 1);
    EXPECT_EQ(back.step, 8);
    EXPECT_EQ(back.inputs.config, "encoder = conv\nencoder-channels = 8,16\ntau = 0.2\n");
    const WeightsFacts facts = read_weights_facts(path);
    EXPECT_EQ(facts.at("bank_rows"), "71");
    EXPECT_EQ(facts.at("bank_width"), "16");
    EXPECT_EQ(facts.at("tau"), "0.2");
    EXPECT_NE(facts.at("loads_into").find("no library"), std::string::npos);
  }
}

TEST_F(ExportedWeights, AreTheBackboneAloneUnlessMoreIsWanted) {
  const SavedEncoder saved = trained();
  for (const auto& [name, tensor] : exported_weights(saved, {})) {
    EXPECT_TRUE(saved.has("encoder.backbone." + name)) << name;
  }
  EXPECT_EQ(exported_weights(saved, {}).size(), 6U);
  EXPECT_EQ(exported_weights(saved, {.head = true}).size(), 10U);
  EXPECT_EQ(exported_weights(saved, {.key_encoder = true}).size(), 12U);
  EXPECT_EQ(exported_weights(saved, {true, true}).size(), 20U);
}

TEST_F(ExportedWeights, AreWhatAnotherRunStartsWithBitForBit) {
  const SavedEncoder saved = trained();
  const auto tensors = by_name(saved.tensors);
  PretrainOptions other = start_.options;
  other.seed = 99;
  for (const bool torch_file : {false, true}) {
    other.init.file = other.init.key_file = write(saved, {.head = true, .key_encoder = true}, torch_file);
    run_ranks(2, {}, [&](Communicator& comm) {
      Trainer trainer(other, resolve_contrast(other), {}, comm, {1, 5, {}, {}});
      start_from_weights(comm, comm, other, trainer.encoders());
      for (const auto& [name, tensor] : trainer.state().tensors) {
        if (name.find("encoder.backbone.") == std::string::npos || !tensors.contains(name)) continue;
        EXPECT_TRUE(at::equal(tensor, tensors.at(name))) << name;
      }
    });
  }
  EXPECT_FALSE(at::equal(tensors.at("encoder.backbone.conv1.weight"), tensors.at("key_encoder.backbone.conv1.weight")));
}

TEST_F(ExportedWeights, GiveTheAccuracyThatTheRunMeasuredOnAnyNumberOfRanks) {
  const SavedEncoder saved = trained();
  ScoreOptions options;
  options.knn.knn.k = 5;
  options.knn.format = {saved.inputs.view_size, saved.inputs.normalization.value()};
  options.probe.emplace();
  const SavedEncoder file = read_encoder_file(write(saved, {}, false));
  FeatureScore first;
  for (const int ranks : {1, 2, 3}) {
    run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      TrainedEncoder encoder(ranks == 3 ? file : saved, options_here(), {}, comm);
      const FeatureScore score = score_features(
          comm, [&](const at::Tensor& views) { return encoder.features(views); }, *rectangles(), *rectangles(),
          options);
      EXPECT_EQ(score.knn, summary_.trained);
      EXPECT_EQ(score.width, 64);
      if (ranks == 1) first = score;
      EXPECT_EQ(score.probe, first.probe);
      EXPECT_EQ(score.probe_l2, first.probe_l2);
    });
  }
  // A classifier that learned nothing is right once in five.
  EXPECT_GT(first.probe, 0.5);
}

TEST_F(ExportedWeights, EmbedAsTheBankDoes) {
  const SavedEncoder saved = trained();
  const at::Tensor images = at::rand({3, 1, 12, 12});
  run_ranks(1, {}, [&](Communicator& comm) {
    Trainer trainer(start_.options, resolve_contrast(start_.options), {}, comm, {1, 5, {}, {}});
    PosixFileLayer files;
    const std::filesystem::path newest = newest_path(start_.run_directory);
    const Snapshot snapshot{newest, read_manifest(files, newest)};
    RunPosition here;
    here.steps_per_epoch = 5;
    here.global_batch = 12;
    resume_run(comm, snapshot, here, false, trainer);
    TrainedEncoder encoder(saved, options_here(), {}, comm);
    EXPECT_TRUE(at::equal(encoder.embed(images), trainer.encoders().embed(images)));
    EXPECT_TRUE(at::equal(encoder.features(images), trainer.encoders().features(images)));
    TrainedEncoderOptions keys = options_here();
    keys.key_encoder = true;
    TrainedEncoder key(saved, keys, {}, comm);
    EXPECT_FALSE(at::equal(key.embed(images), encoder.embed(images)));
    EXPECT_TRUE(at::allclose(key.embed(images), trainer.encoders().key(images), 1e-5, 1e-6));
    EXPECT_FALSE(TrainedEncoder(read_encoder_file(write(saved, {}, true)), options_here(), {}, comm).has_head());
  });
}

TEST_F(ExportedWeights, OfANetworkWithBatchNormsUseRunningStatistics) {
  start_.options.encoder.name = "resnet18";
  start_.options.encoder.stem = "cifar";
  const at::Tensor images = at::rand({4, 1, 12, 12});
  run_ranks(1, {}, [&](Communicator& comm) {
    Trainer trainer(start_.options, resolve_contrast(start_.options), {}, comm, {1, 5, {}, {12, 12}});
    SavedEncoder saved;
    for (const auto& [name, tensor] : trainer.state().tensors) {
      if (name.find("running_") != std::string::npos) tensor.add_(0.1 * at::rand_like(tensor));
      saved.tensors.emplace_back(name, tensor);
    }
    TrainedEncoder encoder(saved, {start_.options.encoder, 1, {12, 12}}, {}, comm);
    const at::Tensor features = encoder.features(images);
    EXPECT_TRUE(at::equal(features, trainer.encoders().features(images)));
    EXPECT_TRUE(at::allclose(encoder.features(images.slice(0, 1, 2)), features.slice(0, 1, 2), 1e-4, 1e-5));
  });
}

TEST_F(ExportedWeights, OfAnotherNetworkAreRefused) {
  const SavedEncoder saved = trained();
  run_ranks(1, {}, [&](Communicator& comm) {
    TrainedEncoderOptions other = options_here();
    other.backbone.channels = {8, 16, 32};
    other.backbone.strides = {1, 2, 2};
    EXPECT_THROW(TrainedEncoder(saved, other, {}, comm), WeightsError);
    other = options_here();
    other.key_encoder = true;
    EXPECT_THROW(TrainedEncoder(read_encoder_file(write(saved, {}, false)), other, {}, comm), WeightsError);
  });
  start_.options.objective = "nt-xent";
  start_.run_directory = folder_ / "batch";
  EXPECT_THROW(exported_weights(trained(), {.key_encoder = true}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
