#include "runtime/run/initial_weights.h"

#include "comm/together.h"
#include "runtime/encoders/registry.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/weights/take_weights.h"

namespace negatron {
namespace {

/// The line that says what was taken.
std::string take(const char* flag, const std::string& file, const WeightsWanted& wanted, torch::nn::Module& network) {
  return std::string(flag) + " " + file + ": " + take_weights(file, read_saved_weights(file), wanted, network).text() +
         "\n";
}

std::string take_all(const InitialWeights& init, EncoderPair& encoders) {
  std::string lines = take("--init", init.file, {false, init.adapt_channels}, encoders.backbone());
  if (init.key_file.empty()) return lines;
  return lines + take("--init-key", init.key_file, {true, init.adapt_channels}, encoders.key_backbone());
}

/// Collective.
void broadcast_values(Communicator& comm, const torch::nn::Module& network) {
  for (const at::Tensor& tensor : network.parameters()) comm.broadcast(tensor.detach(), 0);
  for (const at::Tensor& tensor : network.buffers()) comm.broadcast(tensor.detach(), 0);
}

}  // namespace

std::shared_ptr<Backbone> check_backbone(const PretrainOptions& options, const ContrastSetup& setup,
                                         std::int64_t channels, const ImageSize& view_size, Communicator& comm) {
  std::shared_ptr<Backbone> backbone = make_backbone(options.encoder, channels, &comm, view_size);
  const InitialWeights& init = options.init;
  if (!init.key_file.empty() && setup.keys() != KeyMaker::kMomentumEncoder) {
    throw std::invalid_argument(
        "--init-key gives weights of a momentum encoder, but this run has none (--negatives, --sampler).");
  }
  if (init.file.empty() || comm.rank() != 0) return backbone;
  take("--init", init.file, {false, init.adapt_channels}, *backbone);
  if (!init.key_file.empty()) take("--init-key", init.key_file, {true, init.adapt_channels}, *backbone);
  return backbone;
}

std::string start_from_weights(Communicator& host, Communicator& comm, const PretrainOptions& options,
                               EncoderPair& encoders) {
  const bool has_file = !options.init.file.empty();
  // Files of the encoder itself may differ between hosts.
  if (!has_file && choose_backbone(options.encoder).arguments.file.empty()) return {};
  const torch::NoGradGuard no_grad;
  std::string lines;
  if (has_file) {
    lines =
        failing_as<SnapshotError>([&] { return on_rank_0(host, [&] { return take_all(options.init, encoders); }); });
  }
  broadcast_values(comm, encoders.backbone());
  if (!encoders.has_momentum_encoder()) return lines;
  if (has_file && !options.init.key_file.empty()) {
    broadcast_values(comm, encoders.key_backbone());
  } else {
    copy_values(encoders.backbone(), encoders.key_backbone());
  }
  return lines;
}

}  // namespace negatron
