// Networks of torchvision and timm go in by name, with nothing missing, and make the same features.

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/weights/take_weights.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/support/python_script.h"

namespace negatron::testing {
namespace {

struct Network {
  const char* library;
  const char* name;
  /// As --encoder has it.
  const char* encoder;
};

class FromLibraries : public ::testing::TestWithParam<Network> {};

TEST_P(FromLibraries, WithNothingMissingAndTheSameFeatures) {
  const Network& tested = GetParam();
  if (!has_module(tested.library)) GTEST_SKIP() << "needs " << tested.library << " in " << NEGATRON_PYTHON;
  const TemporaryDirectory folder;
  const ScriptEnd end =
      run_script("write_network.py", std::string(tested.library) + " " + tested.name + " " + folder.path().string());
  ASSERT_EQ(end.code, 0) << end.text;
  run_ranks(1, {}, [&](Communicator& comm) {
    SavedWeights expected = read_saved_weights(folder / "features.pt");
    const at::Tensor images = expected["images"];
    for (const char* name : {"state.pt", "state.safetensors"}) {
      const std::string file = (folder / name).string();
      // Without the library of that name.
      if (!std::filesystem::exists(file)) continue;
      const std::shared_ptr<Backbone> network =
          make_backbone({.name = tested.encoder}, 3, &comm, {images.size(2), images.size(3)});
      const TakenWeights taken = take_weights(file, read_saved_weights(file), {}, *network);
      EXPECT_TRUE(taken.missing.empty());
      EXPECT_EQ(taken.left_over.size(), 2U) << taken.text();
      network->eval();
      const at::NoGradGuard no_grad;
      const at::Tensor features = network->forward(images);
      EXPECT_TRUE(at::allclose(features, expected["features"], 1e-4, 1e-5 * features.abs().max().item<double>()));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Networks, FromLibraries,
                         ::testing::Values(Network{"torchvision", "resnet18", "resnet18"},
                                           Network{"torchvision", "resnet50", "resnet50"},
                                           Network{"torchvision", "resnet101", "resnet101"},
                                           Network{"torchvision", "wide_resnet50_2", "wide_resnet50_2"},
                                           Network{"torchvision", "resnext50_32x4d", "resnext50_32x4d"},
                                           Network{"timm", "vit_tiny_patch16_224", "vit_tiny"},
                                           Network{"timm", "vit_small_patch16_224", "vit_small:positions=learned"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace negatron::testing
