#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>

namespace negatron {

enum class OptimizerKind { kSgd, kLars, kAdamW };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  /// Of SGD and LARS.
  double momentum = 0.9;
  /// Applied to matrices and convolution kernels only.
  double weight_decay = 1e-4;
  /// Of SGD.
  bool nesterov = false;
  /// Of LARS: how long a step may be beside the tensor that takes it.
  double trust_coefficient = 1e-3;
  /// Of AdamW: what the running means of gradients and of their squares keep.
  double beta1 = 0.9;
  double beta2 = 0.999;
  /// The 2-norm of all gradients together is cut to this before each step; 0 for never.
  double clip_norm = 0.0;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// What is trained, in two groups: matrices and kernels, which decay, and all else (biases, norms, a learned
/// temperature), which does not.
struct TrainedGroups {
  std::vector<at::Tensor> decayed;
  std::vector<at::Tensor> plain;

  /// Parameters of `module` by their number of dimensions, two or more against one; `others` are plain.
  static TrainedGroups of(const torch::nn::Module& module, const std::vector<at::Tensor>& others);
};

/// How weights follow their gradients. Local: gradients are equal on all ranks, and so are steps.
class Optimizer {
 public:
  /// One kind of what is remembered for each trained tensor.
  struct Memory {
    /// In front of the tensor's name in snapshots: "momentum".
    std::string name;
    /// A count, [] int64, and not something like the tensor.
    bool is_count = false;
  };
  using Remembered = std::map<std::string, at::Tensor>;

  virtual ~Optimizer() = default;

  /// Moves every tensor that has a gradient.
  virtual void step(double learning_rate) = 0;

  virtual std::vector<Memory> memories() const = 0;
  /// What is remembered for a trained tensor, by the names of memories(), live where it is not a count; empty before
  /// its first step.
  virtual Remembered remembered(const at::Tensor& parameter) const = 0;
  /// Remembers copies of that instead, in the tensor's type and place; nothing where it is empty.
  virtual void restore(const at::Tensor& parameter, const Remembered& saved) = 0;
};

/// The optimizer of the options, which are valid, over parameters of `module` and `others`. Local.
std::unique_ptr<Optimizer> make_optimizer(const torch::nn::Module& module, const std::vector<at::Tensor>& others,
                                          const OptimizerOptions& options);

/// Scales the gradients of `parameters` that their 2-norm, taken over all of them together, is at most `largest`. The
/// host does not wait for a device. Local.
void clip_gradients(const std::vector<at::Tensor>& parameters, double largest);

}  // namespace negatron
