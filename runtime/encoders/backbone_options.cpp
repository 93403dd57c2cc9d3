#include "runtime/encoders/backbone_options.h"

#include "runtime/encoders/named_choice.h"
#include "runtime/encoders/registry.h"

namespace negatron {

void BackboneOptions::validate() const {
  const ChosenBackbone chosen = choose_backbone(*this);
  require_name("--stem", stem, {"imagenet", "cifar"});
  require_name("--encoder-norm", norm, {"auto", "batch", "group"});
  chosen.entry->check(chosen.arguments);
}

std::shared_ptr<Backbone> make_backbone(const BackboneOptions& options, std::int64_t input_channels, Communicator* comm,
                                        const ImageSize& view_size) {
  ChosenBackbone chosen = choose_backbone(options);
  chosen.arguments.input_channels = input_channels;
  chosen.arguments.view_size = view_size;
  chosen.arguments.comm = comm;
  return chosen.entry->make(chosen.arguments);
}

}  // namespace negatron
