#include "runtime/encoders/script_encoder.h"

#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "runtime/encoders/parameter_streams.h"

namespace negatron {
namespace {

[[noreturn]] void refuse_script(const std::string& file, const std::string& reason) {
  throw std::invalid_argument("--encoder script:" + file + ": " + reason + ".");
}

/// The line of an error that says what is wrong.
std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch != nullptr ? of_torch->msg() : error.what();
  // TorchScript says first, in many lines, where it was.
  const std::string lead = "RuntimeError: ";
  const std::size_t place = text.rfind(lead);
  const std::size_t begin = place == std::string::npos ? 0 : place + lead.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

/// Moves the module's own tensors; integers keep their type, where torch's Module::to would make numbers of them.
void move_own(torch::nn::Module& module, std::optional<at::Device> device, at::ScalarType dtype) {
  const auto move = [&](const at::Tensor& tensor) {
    const at::ScalarType kept = tensor.is_floating_point() ? dtype : tensor.scalar_type();
    tensor.set_data(tensor.to(device.value_or(tensor.device()), kept));
  };
  for (const at::Tensor& tensor : module.parameters(/*recurse=*/false)) move(tensor);
  for (const at::Tensor& tensor : module.buffers(/*recurse=*/false)) move(tensor);
}

/// A module of the script as torch sees modules.
class ScriptPart : public torch::nn::Module, public KnowsItsStart {
 public:
  void fill_parameters(ParameterStreams& /*streams*/) override {}
  void to(torch::Device device, torch::Dtype dtype, bool non_blocking) override {
    for (const auto& child : children()) child->to(device, dtype, non_blocking);
    move_own(*this, device, dtype);
  }
  void to(torch::Dtype dtype, bool non_blocking) override {
    for (const auto& child : children()) child->to(dtype, non_blocking);
    move_own(*this, std::nullopt, dtype);
  }
};

/// Registers the tensors of `script` with `part` under their names, the same and not copies; those of submodules with
/// parts of their own. A tensor that is in several places counts where it is met first.
void adopt(const torch::jit::Module& script, torch::nn::Module& part, std::set<const void*>& known) {
  const auto is_new = [&known](const at::Tensor& tensor) { return known.insert(tensor.unsafeGetTensorImpl()).second; };
  for (const auto& one : script.named_parameters(/*recurse=*/false)) {
    if (!is_new(one.value)) continue;
    // As a parameter, what takes no gradient would still be decayed by the optimizer.
    if (one.value.requires_grad()) {
      part.register_parameter(one.name, one.value);
    } else {
      part.register_buffer(one.name, one.value);
    }
  }
  for (const auto& one : script.named_buffers(/*recurse=*/false)) {
    if (is_new(one.value)) part.register_buffer(one.name, one.value);
  }
  for (const auto& one : script.named_children()) {
    const auto child = std::make_shared<ScriptPart>();
    adopt(one.value, *child, known);
    part.register_module(one.name, child);
  }
}

bool has_batch_norm(const torch::jit::Block& block) {
  for (const torch::jit::Node* node : block.nodes()) {
    const std::string kind = node->kind().toUnqualString();
    if (kind == "batch_norm" || kind == "native_batch_norm" || kind == "_batch_norm_impl_index") return true;
    for (const torch::jit::Block* inner : node->blocks()) {
      if (has_batch_norm(*inner)) return true;
    }
  }
  return false;
}

/// Of what the module runs itself and through others.
bool runs_batch_norm(const torch::jit::Module& script) {
  for (const torch::jit::Method& method : script.get_methods()) {
    const std::shared_ptr<torch::jit::Graph> graph = method.graph()->copy();
    torch::jit::Inline(*graph);
    if (has_batch_norm(*graph->block())) return true;
  }
  return false;
}

/// The name of the innermost module that runs a batch norm; nothing without one.
std::optional<std::string> find_batch_norm(const torch::jit::Module& script) {
  std::optional<std::string> found;
  for (const auto& one : script.named_modules()) {
    if (!runs_batch_norm(one.value)) continue;
    if (!found || one.name.size() > found->size()) found = one.name;
  }
  return found;
}

torch::jit::Module load_script(const std::string& file) {
  try {
    return torch::jit::load(file, at::kCPU);
  } catch (const std::exception& error) {
    refuse_script(file, "is no TorchScript module (" + reason_of(error) + ")");
  }
}

/// Without the optimizer of graphs, which specialises for the first batches it sees, each rank for its own sizes.
at::Tensor run_script(torch::jit::Module script, const at::Tensor& images) {
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  return script.forward({images}).toTensor();
}

/// Width of the features of images in the views' size.
std::int64_t find_width(torch::jit::Module& script, const BackboneArguments& arguments) {
  const at::NoGradGuard no_grad;
  constexpr std::int64_t kImages = 2;
  const at::Tensor images =
      at::zeros({kImages, arguments.input_channels, arguments.view_size.height, arguments.view_size.width});
  std::ostringstream sizes;
  sizes << images.sizes();
  script.eval();
  at::Tensor features;
  try {
    features = run_script(script, images);
  } catch (const std::exception& error) {
    refuse_script(arguments.file, "cannot take images of " + sizes.str() + ": " + reason_of(error));
  }
  script.train();
  if (features.dim() != 2 || features.size(0) != kImages) {
    std::ostringstream text;
    text << "makes " << features.sizes() << " of images of " << sizes.str() << ", but features are [b, F]";
    refuse_script(arguments.file, text.str());
  }
  return features.size(1);
}

}  // namespace

ScriptEncoder::ScriptEncoder(const BackboneArguments& arguments) : script_(load_script(arguments.file)) {
  if (arguments.comm != nullptr && arguments.comm->size() > 1) {
    if (const std::optional<std::string> name = find_batch_norm(script_)) {
      refuse_script(arguments.file, "the batch norm '" + *name + "' would be over each rank's batch alone; take a " +
                                        "network with group or layer norm, or one rank");
    }
  }
  feature_width_ = find_width(script_, arguments);
  std::set<const void*> known;
  adopt(script_, *this, known);
}

ScriptEncoder::ScriptEncoder(const torch::jit::Module& script, std::int64_t feature_width)
    : script_(script), feature_width_(feature_width) {
  std::set<const void*> known;
  adopt(script_, *this, known);
}

BackboneDescription ScriptEncoder::describe() {
  BackboneDescription description{"script", "a TorchScript module"};
  description.takes_file = true;
  // Whether it really does, shows when it is run once.
  description.takes_features = true;
  return description;
}

void ScriptEncoder::check(const BackboneArguments& arguments) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(arguments.file, error)) {
    refuse_script(arguments.file, "there is no such file");
  }
  if (arguments.flags.stem != BackboneOptions{}.stem || arguments.flags.norm != BackboneOptions{}.norm) {
    throw std::invalid_argument("--stem and --encoder-norm go with a ResNet; a script is what its file says.");
  }
}

torch::Tensor ScriptEncoder::forward(const torch::Tensor& images) {
  // A rank may have none of a small batch, and not every script takes that: x.view(b, -1) does not.
  if (images.size(0) == 0) return images.new_zeros({0, feature_width_});
  return run_script(script_, images);
}

std::shared_ptr<Backbone> ScriptEncoder::same_shape() const {
  // With gradients, copies of tensors would be results of the originals and no parameters of their own.
  const at::NoGradGuard no_grad;
  const torch::jit::Module copy = script_.deepcopy();
  auto original = script_.parameters().begin();
  for (const at::Tensor& parameter : copy.parameters()) {
    parameter.set_requires_grad((*original).requires_grad());
    ++original;
  }
  return std::shared_ptr<Backbone>(new ScriptEncoder(copy, feature_width_));
}

void ScriptEncoder::to(torch::Device device, torch::Dtype dtype, bool non_blocking) {
  for (const auto& child : children()) child->to(device, dtype, non_blocking);
  move_own(*this, device, dtype);
}

void ScriptEncoder::to(torch::Dtype dtype, bool non_blocking) {
  for (const auto& child : children()) child->to(dtype, non_blocking);
  move_own(*this, std::nullopt, dtype);
}

void ScriptEncoder::train(bool on) {
  Backbone::train(on);
  script_.train(on);
}

}  // namespace negatron
