// Exported files in Python: torch and safetensors read them, torchvision and timm take them strictly and make the same
// features, by the lines of Python that the file itself says.

#include <cerrno>
#include <cmath>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/run/exported_weights.h"
#include "runtime/run/saved_encoder.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/weights/write_safetensors.h"
#include "runtime/weights/write_torch_file.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/support/python_script.h"

namespace negatron::testing {
namespace {

struct ExportedNetwork {
  const char* title;
  const char* library;
  BackboneOptions encoder;
  std::int64_t channels;
  ImageSize size;
};

/// A network with statistics that are not those of a start, as a snapshot has it.
SavedEncoder saved_network(const ExportedNetwork& wanted, Backbone& network) {
  at::manual_seed(3);
  const at::NoGradGuard no_grad;
  // Scales that keep maps of some size; faster than the initialisation, whose numbers are those of any number of ranks.
  for (const auto& parameter : network.named_parameters()) {
    const at::Tensor& values = parameter.value();
    if (values.dim() > 1) {
      values.normal_(0.0, std::sqrt(static_cast<double>(values.size(0)) / static_cast<double>(values.numel())));
    } else {
      values.normal_(parameter.key().ends_with("weight") ? 1.0 : 0.0, 0.1);
    }
  }
  SavedEncoder saved;
  for (const auto& parameter : network.named_parameters()) {
    saved.tensors.emplace_back("encoder.backbone." + parameter.key(), parameter.value().detach());
  }
  for (const auto& buffer : network.named_buffers()) {
    at::Tensor values = buffer.value();
    if (buffer.key().find("running_") != std::string::npos) values.add_(0.1 * at::rand_like(values));
    saved.tensors.emplace_back("encoder.backbone." + buffer.key(), values);
  }
  saved.step = 3;
  saved.inputs.channels = wanted.channels;
  return saved;
}

/// Writes both formats of a network into the folder, and what it makes of two images.
void write_exports(const ExportedNetwork& wanted, const TemporaryDirectory& folder) {
  run_ranks(1, {}, [&](Communicator& comm) {
    const std::shared_ptr<Backbone> network = make_backbone(wanted.encoder, wanted.channels, &comm, wanted.size);
    const SavedEncoder saved = saved_network(wanted, *network);
    network->eval();
    const at::NoGradGuard no_grad;
    const at::Tensor images = at::rand({2, wanted.channels, wanted.size.height, wanted.size.width});
    ExportedRecipe recipe;
    recipe.channels = wanted.channels;
    recipe.format.size = wanted.size;
    recipe.library = library_network(wanted.encoder, wanted.channels, wanted.size);
    recipe.settings = {{"encoder", wanted.encoder.name}};
    PosixFileLayer files;
    const WeightsFacts facts = exported_facts(saved, recipe);
    write_safetensors(files, folder / "export.safetensors", exported_weights(saved, {}), facts);
    write_torch_file(files, folder / "export.pt", exported_weights(saved, {}), facts);
    write_torch_file(files, folder / "features.pt", {{"images", images}, {"features", network->forward(images)}}, {});
  });
}

class ExportedNetworks : public ::testing::TestWithParam<ExportedNetwork> {};

TEST_P(ExportedNetworks, LoadStrictlyAndMakeTheSameFeatures) {
  const ExportedNetwork& wanted = GetParam();
  if (!has_module(wanted.library)) GTEST_SKIP() << "needs " << wanted.library << " in " << NEGATRON_PYTHON;
  const TemporaryDirectory folder;
  write_exports(wanted, folder);
  const ScriptEnd end = run_script("load_exported.py", folder.path().string());
  EXPECT_EQ(end.code, 0) << end.text;
}

BackboneOptions named(const char* name, const char* stem = "imagenet", const char* norm = "auto") {
  BackboneOptions options;
  options.name = name;
  options.stem = stem;
  options.norm = norm;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Libraries, ExportedNetworks,
    ::testing::Values(
        ExportedNetwork{"resnet18", "torchvision", named("resnet18"), 3, {64, 64}},
        ExportedNetwork{"grey_cifar_groups", "torchvision", named("resnet18", "cifar", "group"), 1, {28, 28}},
        ExportedNetwork{"grey", "torchvision", named("resnet34"), 1, {64, 48}},
        ExportedNetwork{"resnet50_cifar", "torchvision", named("resnet50", "cifar"), 3, {32, 32}},
        ExportedNetwork{"wide", "torchvision", named("wide_resnet50_2"), 3, {32, 32}},
        ExportedNetwork{"resnext", "torchvision", named("resnext50_32x4d"), 3, {32, 32}},
        ExportedNetwork{"vit", "timm", named("vit_tiny"), 3, {224, 224}},
        ExportedNetwork{"vit_patches", "timm", named("vit_small:patch=7,positions=learned"), 1, {28, 14}}),
    [](const auto& tested) { return std::string(tested.param.title); });

TEST(ExportedFiles, AreReadByPythonWithoutRunningAnything) {
  const TemporaryDirectory folder;
  write_exports({"conv", "", named("conv"), 1, {12, 12}}, folder);
  const ScriptEnd end = run_script("load_exported.py", folder.path().string());
  EXPECT_EQ(end.code, 0) << end.text;
}

TEST(ExportedFiles, HoldTensorsOfAllTypesAndShapes) {
  const TemporaryDirectory folder;
  PosixFileLayer files;
  const NamedWeights odd = {{"none", at::empty({0, 4})},
                            {"scalar", at::scalar_tensor(7, at::kLong)},
                            {"turned", at::arange(6.0F).view({2, 3}).t()},
                            {"half", at::ones({3}, at::kHalf)},
                            {"brain", at::ones({3}, at::kBFloat16)},
                            {"double", at::ones({2}, at::kDouble)},
                            {"flag", at::ones({1}, at::kBool)}};
  write_safetensors(files, folder / "odd.safetensors", odd, {});
  write_torch_file(files, folder / "odd.pt", odd, {});
  for (const char* name : {"odd.safetensors", "odd.pt"}) {
    const SavedWeights back = read_saved_weights(folder / name);
    EXPECT_TRUE(read_weights_facts(folder / name).empty());
    ASSERT_EQ(back.size(), odd.size());
    for (const auto& [tensor_name, tensor] : odd) {
      EXPECT_EQ(back.at(tensor_name).scalar_type(), tensor.scalar_type()) << name << tensor_name;
      EXPECT_TRUE(at::equal(back.at(tensor_name), tensor)) << name << tensor_name;
    }
  }
  EXPECT_THROW(write_safetensors(files, folder / "complex", {{"c", at::zeros({1}, at::kComplexFloat)}}, {}),
               std::invalid_argument);
  EXPECT_THROW(write_torch_file(files, folder / "complex.pt", {{"c", at::zeros({1}, at::kComplexFloat)}}, {}),
               std::invalid_argument);
}

/// A disk that is full after so many bytes.
class FullDisk : public PosixFileLayer {
 public:
  explicit FullDisk(std::size_t room) : room_(room) {}
  std::unique_ptr<OutputFile> create(const std::filesystem::path& path) override {
    return std::make_unique<Output>(PosixFileLayer::create(path), room_);
  }

 private:
  class Output : public OutputFile {
   public:
    Output(std::unique_ptr<OutputFile> file, std::size_t room) : file_(std::move(file)), room_(room) {}
    void append(std::span<const std::byte> bytes) override {
      if (bytes.size() > room_) throw FileError("write", "full", ENOSPC);
      room_ -= bytes.size();
      file_->append(bytes);
    }
    void sync() override { file_->sync(); }
    void close() override { file_->close(); }

   private:
    std::unique_ptr<OutputFile> file_;
    std::size_t room_;
  };
  std::size_t room_;
};

TEST(ExportedFiles, ThatDoNotFitOnTheDiskSaySo) {
  const NamedWeights weights = {{"a", at::ones({100})}, {"b", at::ones({1000})}};
  for (const std::size_t room : {0, 100, 600, 4000}) {
    const TemporaryDirectory folder;
    FullDisk files(room);
    EXPECT_THROW(write_safetensors(files, folder / "a.safetensors", weights, {}), FileError) << room;
    EXPECT_THROW(write_torch_file(files, folder / "a.pt", weights, {}), FileError) << room;
  }
}

}  // namespace
}  // namespace negatron::testing
