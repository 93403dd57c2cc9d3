#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <torch/script.h>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/parameter_streams.h"
#include "runtime/encoders/registry.h"

namespace negatron {

/// Any network that torch.jit.script or torch.jit.trace saved: --encoder script:FILE.pt. It is trained as the others
/// are; parameters and buffers have the module's names, in snapshots too, and begin with the file's values. What takes
/// no gradient in the file stays as it is.
///
/// Its batch norms would be over the batch of each rank alone, so that answers would depend on the number of ranks:
/// over more than one rank they are refused.
class ScriptEncoder : public Backbone, public KnowsItsStart {
 public:
  /// Throws std::invalid_argument when the file is no TorchScript module, takes no such images, does not make [b, F] of
  /// them, or has batch norms and there are several ranks. Local.
  explicit ScriptEncoder(const BackboneArguments& arguments);
  static BackboneDescription describe();
  static void check(const BackboneArguments& arguments);

  /// images [b, c, h, w] -> features [b, feature_width()]. Local.
  torch::Tensor forward(const torch::Tensor& images) override;
  std::int64_t feature_width() const override { return feature_width_; }
  /// With the values of this one, not of the file, which may be gone.
  std::shared_ptr<Backbone> same_shape() const override;
  void train(bool on = true) override;
  // Module::to with integers that stay what they are.
  using torch::nn::Module::to;
  void to(torch::Device device, torch::Dtype dtype, bool non_blocking = false) override;
  void to(torch::Dtype dtype, bool non_blocking = false) override;
  /// The file has filled them.
  void fill_parameters(ParameterStreams& /*streams*/) override {}

 private:
  ScriptEncoder(const torch::jit::Module& script, std::int64_t feature_width);

  torch::jit::Module script_;
  std::int64_t feature_width_ = 0;
};

}  // namespace negatron
