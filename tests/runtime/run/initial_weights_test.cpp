// A run that starts with the weights of a file.

#include <fstream>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/run/initial_weights.h"
#include "runtime/training/trainer.h"
#include "runtime/weights/saved_weights.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

/// A safetensors file of fp32 tensors.
void write_weights(const std::string& path, const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  nlohmann::json header;
  std::string bytes;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.to(at::kFloat).contiguous();
    const std::size_t begin = bytes.size();
    bytes.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    header[name] = {{"dtype", "F32"}, {"shape", values.sizes().vec()}, {"data_offsets", {begin, bytes.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << text << bytes;
}

class InitialWeightsOfARun : public ::testing::Test {
 protected:
  InitialWeightsOfARun() {
    options_ = small_options("info-nce");
    // The weights of another run, twice: of its query encoder, and shifted.
    run_ranks(1, {}, [&](Communicator& comm) {
      options_.seed = 99;
      const Trainer other(options_, resolve_contrast(options_), {}, comm, {1, 5, {}, {}});
      options_.seed = 7;
      std::vector<std::pair<std::string, at::Tensor>> both;
      for (const auto& [name, tensor] : other.state().tensors) {
        if (!name.starts_with("encoder.backbone.")) continue;
        const std::string own = name.substr(std::string("encoder.backbone.").size());
        both.emplace_back("module.encoder_q." + own, tensor);
        both.emplace_back("module.encoder_k." + own, tensor + 1.0);
      }
      write_weights(file_, both);
    });
  }

  /// The tensors of a run's rank 0 at its start.
  std::map<std::string, at::Tensor> started(int ranks) {
    std::map<std::string, at::Tensor> found;
    run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      Trainer trainer(options_, resolve_contrast(options_), {at::kCPU, Precision::kFp64}, comm, {1, 5, {}, {}});
      const std::string text = start_from_weights(comm, comm, options_, trainer.encoders());
      // The last rank, which did not read the file.
      if (comm.rank() + 1 < comm.size()) return;
      for (const auto& [name, tensor] : trainer.state().tensors) found[name] = tensor.clone();
      if (comm.size() == 1) text_ = text;
    });
    return found;
  }

  const TemporaryDirectory folder_;
  const std::string file_ = (folder_ / "moco.safetensors").string();
  PretrainOptions options_;
  std::string text_;
};

TEST_F(InitialWeightsOfARun, AreThoseOfTheFileOnEveryRankAndTheKeyEncoderFollows) {
  const auto random = started(1);
  options_.init.file = file_;
  for (const int ranks : {1, 3}) {
    const auto taken = started(ranks);
    EXPECT_FALSE(at::equal(taken.at("encoder.backbone.conv1.weight"), random.at("encoder.backbone.conv1.weight")));
    EXPECT_TRUE(at::equal(taken.at("encoder.head.hidden.weight"), random.at("encoder.head.hidden.weight")));
    for (const auto& [name, tensor] : taken) {
      if (!name.starts_with("key_")) continue;
      EXPECT_TRUE(at::equal(tensor, taken.at(name.substr(4)))) << name;
    }
  }
  EXPECT_EQ(text_, "--init " + file_ +
                       ": 6 of 6 tensors of the encoder taken from 'module.encoder_q.'; none missing; 6 of other "
                       "networks left alone.\n");
  options_.init.key_file = file_;
  const auto taken = started(2);
  const at::Tensor query = taken.at("encoder.backbone.conv1.weight");
  EXPECT_LT((taken.at("key_encoder.backbone.conv1.weight") - query - 1.0).abs().max().item<double>(), 1e-6);
}

TEST_F(InitialWeightsOfARun, AreNotTakenAgainWhenItResumes) {
  SmallStart start;
  start.options = options_;
  start.options.init.file = file_;
  start.options.baselines = false;
  start.options.evaluate_every = 0;
  start.options.max_steps = 8;
  start.run_directory = folder_ / "whole";
  run(start);
  start.run_directory = folder_ / "parts";
  start.options.max_steps = 5;
  run(start);
  std::filesystem::remove(file_);
  start.options.max_steps = 8;
  start.resume = "auto";
  run(start);
  const Saved whole = newest_saved(folder_ / "whole"), parts = newest_saved(folder_ / "parts");
  for (std::size_t i = 0; i < whole.trainer.tensors.size(); ++i) {
    EXPECT_TRUE(at::equal(parts.trainer.tensors[i].second, whole.trainer.tensors[i].second));
  }
}

TEST_F(InitialWeightsOfARun, ThatDoNotFitAreRefusedOnEveryRankAndBeforeItStarts) {
  options_.init.file = file_;
  options_.encoder.channels = {8, 24};
  try {
    started(2);
    ADD_FAILURE() << "accepted";
  } catch (const std::exception& error) {
    EXPECT_NE(
        std::string(error.what()).find("'module.encoder_q.conv2.weight' is [16, 8, 3, 3], this run's encoder has"),
        std::string::npos)
        << error.what();
  }
  run_ranks(1, {}, [&](Communicator& comm) {
    EXPECT_THROW(check_backbone(options_, resolve_contrast(options_), 1, {12, 12}, comm), WeightsError);
    options_.encoder.channels = {8, 16};
    EXPECT_NO_THROW(check_backbone(options_, resolve_contrast(options_), 1, {12, 12}, comm));
    options_.init.key_file = file_;
    options_.objective = "nt-xent";
    EXPECT_THROW(check_backbone(options_, resolve_contrast(options_), 1, {12, 12}, comm), std::invalid_argument);
  });
  options_.init = {};
  options_.init.key_file = file_;
  EXPECT_THROW(options_.validate(1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing
