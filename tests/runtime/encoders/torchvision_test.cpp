// Names, shapes and numbers of ResNets against torchvision's.

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <torch/autograd.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/evaluation_mode.h"
#include "tests/runtime/encoders/small_resnet.h"

namespace negatron {
namespace {

using testing::hashed;
using testing::small_images;
using Shape = std::vector<std::int64_t>;
using Named = std::vector<std::pair<std::string, Shape>>;

/// Names and shapes as torchvision 0.26 gives them, parameters and then buffers, by the rule that the paper's table 1
/// and torchvision's names follow.
class ExpectedTensors {
 public:
  ExpectedTensors(std::int64_t input_channels, std::int64_t kernel, const Shape& blocks, bool bottleneck,
                  std::int64_t groups = 1, std::int64_t group_width = 64) {
    convolution("conv1", 64, input_channels, kernel);
    norm("bn1", 64);
    std::int64_t input = 64;
    for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
      const std::int64_t width = 64 << stage;
      const std::int64_t output = bottleneck ? 4 * width : width;
      const std::int64_t inner = bottleneck ? width * group_width / 64 * groups : width;
      for (std::int64_t block = 0; block < blocks[stage]; ++block) {
        const std::string at = "layer" + std::to_string(stage + 1) + "." + std::to_string(block) + ".";
        convolution(at + "conv1", inner, input, bottleneck ? 1 : 3);
        norm(at + "bn1", inner);
        convolution(at + "conv2", inner, inner / groups, 3);
        norm(at + "bn2", inner);
        if (bottleneck) {
          convolution(at + "conv3", output, inner, 1);
          norm(at + "bn3", output);
        }
        if (block == 0 && (stage > 0 || bottleneck)) {
          convolution(at + "downsample.0", output, input, 1);
          norm(at + "downsample.1", output);
        }
        input = output;
      }
    }
  }

  Named parameters;
  Named buffers;

 private:
  void convolution(const std::string& name, std::int64_t output, std::int64_t input, std::int64_t kernel) {
    parameters.emplace_back(name + ".weight", Shape{output, input, kernel, kernel});
  }
  void norm(const std::string& name, std::int64_t features) {
    parameters.emplace_back(name + ".weight", Shape{features});
    parameters.emplace_back(name + ".bias", Shape{features});
    buffers.emplace_back(name + ".running_mean", Shape{features});
    buffers.emplace_back(name + ".running_var", Shape{features});
    buffers.emplace_back(name + ".num_batches_tracked", Shape{});
  }
};

Named named_shapes(const torch::OrderedDict<std::string, torch::Tensor>& tensors) {
  Named shapes;
  for (const auto& tensor : tensors) shapes.emplace_back(tensor.key(), tensor.value().sizes().vec());
  return shapes;
}

TEST(ResNet, NamesAndShapesAreTorchvisions) {
  run_ranks(1, {}, [](Communicator& comm) {
    const auto expect = [](const ResNet& network, const ExpectedTensors& expected, std::int64_t count) {
      EXPECT_EQ(named_shapes(network.named_parameters()), expected.parameters);
      EXPECT_EQ(named_shapes(network.named_buffers()), expected.buffers);
      std::int64_t found = 0;
      for (const torch::Tensor& parameter : network.parameters()) found += parameter.numel();
      EXPECT_EQ(found, count);
    };
    // Counts are those of torchvision's networks without fc; for small images with a conv1 of [64, 1, 3, 3].
    expect(ResNet({.depth = 18}, &comm), {3, 7, {2, 2, 2, 2}, false}, 11176512);
    expect(ResNet({.depth = 34}, &comm), {3, 7, {3, 4, 6, 3}, false}, 21284672);
    expect(ResNet({.depth = 50}, &comm), {3, 7, {3, 4, 6, 3}, true}, 23508032);
    expect(ResNet({.depth = 101}, &comm), {3, 7, {3, 4, 23, 3}, true}, 42500160);
    expect(ResNet({.depth = 50, .group_width = 128}, &comm), {3, 7, {3, 4, 6, 3}, true, 1, 128}, 66834240);
    expect(ResNet({.depth = 50, .bottleneck_groups = 32, .group_width = 4}, &comm), {3, 7, {3, 4, 6, 3}, true, 32, 4},
           22979904);
    expect(ResNet(small_images(), &comm), {1, 3, {2, 2, 2, 2}, false}, 11167680);
  });
}

void fill_hashed(ResNet& network) {
  const torch::NoGradGuard no_grad;
  std::int64_t stream = 0;
  for (auto& parameter : network.named_parameters()) {
    torch::Tensor& tensor = parameter.value();
    at::Tensor values = hashed(tensor.numel(), stream++);
    if (tensor.dim() == 4) {
      values = values * std::sqrt(6.0 / static_cast<double>(tensor.size(0) * tensor.size(2) * tensor.size(3)));
    } else {
      values = 0.1 * values + (parameter.key().ends_with("weight") ? 1.0 : 0.0);
    }
    tensor.copy_(values.view(tensor.sizes()));
  }
  stream = 1000;
  for (auto& buffer : network.named_buffers()) {
    if (buffer.key().ends_with("num_batches_tracked")) continue;
    const at::Tensor values = hashed(buffer.value().numel(), stream++);
    buffer.value().copy_(buffer.key().ends_with("running_var") ? 1.0 + 0.5 * values : 0.1 * values);
  }
}

/// What torchvision 0.26 on torch 2.11 makes, in fp64, of parameters, buffers and images as fill_hashed() and the test
/// set them.
struct TorchvisionCase {
  const char* name;
  ResNetOptions options;
  std::int64_t side;
  std::vector<double> trained;  // features [0, 0], [1, 7], [3, 511] and the sum of all, in training mode
  std::vector<double>
      gradients;  // conv1 [5, 0, 1, 2], layer3.0.downsample.0 [11, 4], layer4.1.bn2 [300], sum of bn1.bias
  std::vector<double> running;    // mean of layer2.0.bn1 [3], variance of layer4.0.downsample.1 [100]
  std::vector<double> evaluated;  // the same features, then, by running statistics
};

class LikeTorchvision : public ::testing::TestWithParam<TorchvisionCase> {};

void expect_numbers(const std::vector<at::Tensor>& found, const std::vector<double>& expected, const char* what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found[i].item<double>(), expected[i], 1e-7 * std::abs(expected[i])) << what << " " << i;
  }
}

TEST_P(LikeTorchvision, FeaturesGradientsAndRunningStatisticsAreEqual) {
  const TorchvisionCase& expected = GetParam();
  run_ranks(1, {}, [&expected](Communicator& comm) {
    ResNet network(expected.options, &comm);
    network.to(at::kDouble);
    fill_hashed(network);
    const Shape shape{4, expected.options.input_channels, expected.side, expected.side};
    const at::Tensor images = hashed(c10::multiply_integers(shape), 5000).view(shape);
    const auto numbers = [](const at::Tensor& f) {
      return std::vector<at::Tensor>{f[0][0], f[1][7], f[3][511], f.sum()};
    };
    const torch::Tensor features = network.forward(images);
    expect_numbers(numbers(features.detach()), expected.trained, "features");
    (features * hashed(features.numel(), 6000).view(features.sizes())).sum().backward();
    auto parameters = network.named_parameters();
    expect_numbers(
        {parameters["conv1.weight"].grad()[5][0][1][2], parameters["layer3.0.downsample.0.weight"].grad()[11][4][0][0],
         parameters["layer4.1.bn2.weight"].grad()[300], parameters["bn1.bias"].grad().sum()},
        expected.gradients, "gradient");
    auto buffers = network.named_buffers();
    expect_numbers({buffers["layer2.0.bn1.running_mean"][3], buffers["layer4.0.downsample.1.running_var"][100]},
                   expected.running, "running statistics");
    EXPECT_EQ(buffers["bn1.num_batches_tracked"].scalar_type(), at::kLong);
    EXPECT_EQ(buffers["bn1.num_batches_tracked"].item<std::int64_t>(), 1);
    const EvaluationMode evaluation(network);
    expect_numbers(numbers(network.forward(images).detach()), expected.evaluated, "evaluated");
  });
}

INSTANTIATE_TEST_SUITE_P(
    Networks, LikeTorchvision,
    ::testing::Values(TorchvisionCase{"resnet18",
                                      {.depth = 18},
                                      64,
                                      {0.301804531039, 1.26900142158, 1.96489341717, 1719.87367355},
                                      {14.366016521, 1.13383544492, -0.163802230271, -52.8377761113},
                                      {-0.0362138714464, 1.09206438895},
                                      {0.739476226807, 0.303277474274, 0.170251038683, 878.346690236}},
                      TorchvisionCase{"resnet18_cifar",
                                      small_images(),
                                      16,
                                      {0.616608881109, 0.524176245447, 0.951017484349, 1714.26555519},
                                      {103.279306428, 0.90957064402, 0.176821737069, -15.4177027445},
                                      {-0.0464070759077, 1.20903050268},
                                      {0.264186296823, 0.285329982382, 0.127637114611, 360.513362403}},
                      TorchvisionCase{"resnet34",
                                      {.depth = 34},
                                      64,
                                      {1.35897489095, 1.06131948512, 1.52648401882, 2148.70411771},
                                      {178.213003049, -0.150715370802, -0.154602613897, 71.590791702},
                                      {0.239308195079, 1.44872899388},
                                      {3.27453592356, 6.16430805546, 5.94522847347, 8582.88233181}},
                      TorchvisionCase{"resnet50",
                                      {.depth = 50},
                                      64,
                                      {1.2387632994, 1.10434665945, 1.07095851025, 8583.61812512},
                                      {-4948.13888383, 16.0505911418, 1.20694557802, 576.702405735},
                                      {0.104433071307, 1.4544896553},
                                      {2.27182064823, 3.05201611872, 2.48710674724, 14620.8823845}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace negatron
