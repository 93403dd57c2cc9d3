// Networks that Python saved as TorchScript.

#include "runtime/encoders/script_encoder.h"

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/precision.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"
#include "tests/support/python_script.h"

namespace negatron::testing {
namespace {

class Scripts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scripts_ = new TemporaryDirectory;
    const ScriptEnd end = run_script("write_scripts.py", scripts_->path().string());
    ASSERT_EQ(end.code, 0) << end.text;
  }
  static void TearDownTestSuite() { delete scripts_; }

  static std::string encoder(const std::string& name) { return "script:" + (*scripts_ / name).string(); }
  static std::shared_ptr<Backbone> make(const std::string& name, Communicator* comm = nullptr) {
    return make_backbone({.name = encoder(name)}, 1, comm, {12, 12});
  }
  static std::string refusal(const std::string& name, int ranks = 1) {
    std::string text = "accepted";
    run_ranks(ranks, {}, [&](Communicator& comm) {
      try {
        BackboneOptions options{.name = encoder(name)};
        options.validate();
        make(name, &comm);
      } catch (const std::invalid_argument& error) {
        if (comm.rank() == 0) text = error.what();
      }
    });
    return text;
  }

  SmallStart start_of(const std::string& name, const std::string& folder, int ranks) {
    SmallStart start;
    start.options = small_options("info-nce");
    start.options.encoder.name = encoder(name);
    start.options.learning_rate = 0.5;
    start.options.baselines = false;
    start.options.evaluate_every = 0;
    start.options.knn_k = 5;
    start.options.max_steps = 10;
    start.options.validate(ranks);
    start.ranks = ranks;
    start.run_directory = folder_ / folder;
    return start;
  }

  static inline TemporaryDirectory* scripts_ = nullptr;
  TemporaryDirectory folder_;
};

TEST_F(Scripts, HaveTheirTensorsUnderTheirNames) {
  const std::shared_ptr<Backbone> network = make("small.pt");
  EXPECT_EQ(network->feature_width(), 12);
  std::vector<std::string> parameters, buffers;
  for (const auto& one : network->named_parameters()) parameters.push_back(one.key());
  for (const auto& one : network->named_buffers()) buffers.push_back(one.key());
  EXPECT_EQ(parameters, (std::vector<std::string>{"scale", "layers.0.weight", "layers.0.bias", "layers.1.weight",
                                                  "layers.1.bias", "out.weight", "out.bias"}));
  // What takes no gradient in the file is not trained.
  EXPECT_EQ(buffers, (std::vector<std::string>{"frozen", "calls"}));
}

TEST_F(Scripts, AreConvertedAndCopiedWithTheirIntegers) {
  const std::shared_ptr<Backbone> network = make("small.pt");
  network->to(at::kDouble);
  const at::Tensor images = at::rand({3, 1, 12, 12}, at::kDouble);
  const at::Tensor features = network->forward(images);
  EXPECT_EQ(features.scalar_type(), at::kDouble);
  at::Tensor calls = network->named_buffers()["calls"];
  EXPECT_EQ(calls.scalar_type(), at::kLong);
  EXPECT_EQ(calls.item<std::int64_t>(), 1);
  network->eval();
  network->forward(images);
  EXPECT_EQ(calls.item<std::int64_t>(), 1);
  network->train();

  const std::shared_ptr<Backbone> copy = network->same_shape();
  EXPECT_TRUE(at::equal(copy->forward(images), features));
  {
    const at::NoGradGuard no_grad;
    copy->named_parameters()["out.bias"].add_(1.0);
  }
  EXPECT_TRUE(at::allclose(copy->forward(images), features + 1.0));
  EXPECT_TRUE(at::equal(network->forward(images), features));
  EXPECT_EQ(calls.item<std::int64_t>(), 2);
  for (const at::Tensor& parameter : copy->parameters()) EXPECT_TRUE(parameter.is_leaf() && parameter.requires_grad());
}

TEST_F(Scripts, GetGradientsUnderBf16) {
  const std::shared_ptr<Backbone> network = make("small.pt");
  const at::Tensor images = at::rand({3, 1, 12, 12});
  for (int pass = 0; pass < 3; ++pass) {
    at::Tensor features;
    {
      const PrecisionGuard guard(Precision::kBf16, at::kCPU);
      features = network->forward(images);
    }
    EXPECT_EQ(features.scalar_type(), at::kBFloat16);
    features.to(at::kFloat).square().sum().backward();
    for (const auto& one : network->named_parameters()) {
      ASSERT_TRUE(one.value().grad().defined()) << one.key();
      EXPECT_EQ(one.value().grad().scalar_type(), at::kFloat) << one.key();
    }
  }
}

TEST_F(Scripts, TrainWithTheSameLossesOnAnyNumberOfRanks) {
  for (const char* name : {"small.pt", "traced.pt", "tied.pt"}) {
    for (const Precision precision : {Precision::kFp64, Precision::kFp32}) {
      std::vector<std::vector<double>> losses;
      for (const int ranks : {1, 2}) {
        SmallStart start = start_of(name, std::to_string(losses.size()), ranks);
        start.precision = precision;
        std::filesystem::remove_all(start.run_directory);
        EXPECT_EQ(run(start).steps_done, 10);
        losses.push_back(step_losses(start.run_directory));
      }
      ASSERT_EQ(losses[0].size(), 10U);
      EXPECT_GT(std::abs(losses[0].front() - losses[0].back()), 1e-3);
      const double tolerance = precision == Precision::kFp64 ? 1e-12 : 1e-6;
      for (std::size_t step = 0; step < 10; ++step) {
        EXPECT_NEAR(losses[1][step], losses[0][step], tolerance * std::abs(losses[0][step])) << name << " " << step;
      }
    }
  }
}

TEST_F(Scripts, GoIntoASnapshotAndComeOutOfIt) {
  SmallStart whole = start_of("small.pt", "whole", 2);
  run(whole);
  SmallStart parts = start_of("small.pt", "parts", 2);
  parts.options.max_steps = 4;
  run(parts);
  parts.options.max_steps = 10;
  parts.resume = "auto";
  run(parts);
  const Saved expected = newest_saved(whole.run_directory), found = newest_saved(parts.run_directory);
  ASSERT_EQ(found.trainer.tensors.size(), expected.trainer.tensors.size());
  bool moved = false;
  for (std::size_t i = 0; i < found.trainer.tensors.size(); ++i) {
    const auto& [name, tensor] = expected.trainer.tensors[i];
    EXPECT_TRUE(at::equal(found.trainer.tensors[i].second, tensor)) << name;
    if (name == "encoder.backbone.frozen") {
      EXPECT_TRUE((tensor == 0.5).all().item<bool>());
    }
    if (name == "encoder.backbone.scale") moved = (tensor != 1.0).any().item<bool>();
  }
  EXPECT_TRUE(moved);
}

TEST_F(Scripts, ThatCannotBeEncodersAreRefusedInASentence) {
  const auto says = [](const std::string& text, const std::string& what) {
    EXPECT_NE(text.find(what), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  };
  EXPECT_EQ(refusal("normed.pt"), "accepted");
  says(refusal("normed.pt", 2), "the batch norm 'stem.1' would be over each rank's batch alone");
  says(refusal("maps.pt"), "makes [2, 4, 10, 10] of images of [2, 1, 12, 12], but features are [b, F]");
  says(refusal("rows.pt"), "cannot take images of [2, 1, 12, 12]: ");
  says(refusal("state.pt"), "is no TorchScript module (");
  says(refusal("none.pt"), "there is no such file");
  EXPECT_THROW(BackboneOptions{.name = "script"}.validate(), std::invalid_argument);
  EXPECT_THROW((BackboneOptions{.name = encoder("small.pt"), .stem = "cifar"}.validate()), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
