#include "runtime/encoders/backbone_options.h"

#include <stdexcept>
#include <vector>

#include "runtime/encoders/resnet.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

void require_name(const char* flag, const std::string& name, const std::vector<std::string>& known) {
  std::string list;
  for (const std::string& one : known) {
    if (name == one) return;
    list += (list.empty() ? "" : ", ") + one;
  }
  throw std::invalid_argument(std::string(flag) + " is '" + name + "', expected one of: " + list + "; did you mean " +
                              nearest_name(name, known) + "?");
}

/// 0 for an encoder that is none.
std::int64_t resnet_depth(const std::string& name) {
  if (name == "resnet18") return 18;
  if (name == "resnet34") return 34;
  return name == "resnet50" ? 50 : 0;
}

ResNetOptions resnet_options(const BackboneOptions& options, std::int64_t input_channels) {
  ResNetOptions resnet;
  resnet.input_channels = input_channels;
  resnet.depth = resnet_depth(options.name);
  resnet.stem = options.stem == "cifar" ? ResNetOptions::Stem::kCifar : ResNetOptions::Stem::kImageNet;
  resnet.norm = options.norm == "group" ? ResNetOptions::Norm::kGroup : ResNetOptions::Norm::kBatch;
  resnet.groups = options.conv.groups;
  return resnet;
}

}  // namespace

void BackboneOptions::validate() const {
  require_name("--encoder", name, {"conv", "resnet18", "resnet34", "resnet50"});
  require_name("--stem", stem, {"imagenet", "cifar"});
  require_name("--encoder-norm", norm, {"auto", "batch", "group"});
  if (resnet_depth(name) > 0) {
    resnet_options(*this, 1).validate();
    return;
  }
  conv.validate();
  if (stem != "imagenet") throw std::invalid_argument("--stem goes with a ResNet; --encoder conv has no stem.");
  if (norm == "batch") throw std::invalid_argument("--encoder-norm batch goes with a ResNet; conv has group norm.");
}

std::shared_ptr<Backbone> make_backbone(const BackboneOptions& options, std::int64_t input_channels,
                                        Communicator* comm) {
  if (resnet_depth(options.name) > 0) return std::make_shared<ResNet>(resnet_options(options, input_channels), comm);
  ConvEncoderOptions conv = options.conv;
  conv.input_channels = input_channels;
  return std::make_shared<ConvEncoder>(conv);
}

}  // namespace negatron
