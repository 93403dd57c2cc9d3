#include <map>

#include <torch/optim/sgd.h>

#include "runtime/snapshots/snapshot_error.h"
#include "runtime/training/trainer.h"

namespace negatron {
namespace {

constexpr const char* kMomentum = "momentum.";
constexpr const char* kClusters = "bank_clusters";
constexpr const char* kClustersRound = "bank_clusters_round";

std::string sizes_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.sizes()) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "] of " + c10::toString(tensor.scalar_type());
}

/// The flags that decide whether a tensor is there, and its shape.
std::string flags_of(const std::string& name) {
  if (name.find("predictor.") != std::string::npos) return "--objective, --predictor-hidden, --head-norm, --width";
  if (name.find("objective.") != std::string::npos) return "--objective, --objective-options, --learn-tau";
  if (name.starts_with("key_encoder.")) return "--objective, --negatives and the flags of the encoder";
  if (name.starts_with("encoder.backbone.")) {
    return "--encoder, --encoder-channels, --pool-grid, --stem, --encoder-norm";
  }
  return "--encoder, --encoder-channels, --pool-grid, --head-hidden, --head-norm, --width";
}

void check_fits(const std::string& name, const at::Tensor& saved, const at::Tensor& live) {
  if (saved.sizes() != live.sizes()) {
    throw SnapshotError("The snapshot's '" + name + "' is " + sizes_text(saved) + ", this run's is " +
                        sizes_text(live) + " (" + flags_of(name) + ").");
  }
  if (saved.scalar_type() != live.scalar_type()) {
    throw SnapshotError("The snapshot's '" + name + "' is " + sizes_text(saved) + ", this run's is " +
                        sizes_text(live) + " (--precision).");
  }
}

/// Takes a number out of the state.
std::int64_t count_of(const TrainerState& state, const char* name) {
  const auto found = state.numbers.find(name);
  const auto* value = found == state.numbers.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  if (value == nullptr) throw SnapshotError(std::string("The snapshot has no count '") + name + "'.");
  return *value;
}

std::string text_of(const TrainerState& state, const char* name) {
  const auto found = state.text.find(name);
  return found == state.text.end() ? std::string() : found->second;
}

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> Trainer::named_tensors() const {
  std::vector<std::pair<std::string, torch::Tensor>> named;
  for (const auto& parameter : trained_.named_parameters()) named.emplace_back(parameter.key(), parameter.value());
  const std::vector<at::Tensor> learned = loss_->objective().parameters();
  for (std::size_t i = 0; i < learned.size(); ++i) named.emplace_back("objective." + std::to_string(i), learned[i]);
  for (const auto& buffer : trained_.named_buffers()) named.emplace_back(buffer.key(), buffer.value());
  if (!key_encoder_) return named;
  const ContrastiveEncoder& key = key_encoder_->encoder();
  for (const auto& parameter : key.named_parameters()) {
    named.emplace_back("key_encoder." + parameter.key(), parameter.value());
  }
  for (const auto& buffer : key.named_buffers()) named.emplace_back("key_encoder." + buffer.key(), buffer.value());
  return named;
}

TrainerState Trainer::state() const {
  TrainerState state;
  const auto named = named_tensors();
  for (const auto& [name, tensor] : named) state.tensors.emplace_back(name, tensor.detach());
  const auto& optimizer_state = optimizer_->state();
  for (std::size_t i = 0; i < trained_tensors().size(); ++i) {
    const auto found = optimizer_state.find(named[i].second.unsafeGetTensorImpl());
    if (found == optimizer_state.end()) continue;
    const auto& sgd = static_cast<const torch::optim::SGDParamState&>(*found->second);
    if (sgd.momentum_buffer().defined()) state.tensors.emplace_back(kMomentum + named[i].first, sgd.momentum_buffer());
  }
  state.text["objective"] = options_.objective;
  if (const NegativeSampler* sampler = loss_->sampler()) {
    state.text["sampler"] = options_.sampler + " " + options_.sampler_options;
    state.text["sampler_state"] = sampler->state();
  }
  state.numbers["steps_done"] = steps_done_;
  state.numbers["skipped_steps"] = guard_.skipped();
  state.numbers["skipped_in_a_row"] = guard_.consecutive();
  state.numbers["last_look"] = last_look_;
  state.numbers["hard_set_stretch"] = loss_->exchange().hard_set_search().stretch();
  const BankClusters& clusters = loss_->exchange().clusters();
  if (clusters.centroids().defined()) {
    state.tensors.emplace_back(kClusters, clusters.centroids());
    state.numbers[kClustersRound] = clusters.last_round();
  }
  return state;
}

void Trainer::restore(const TrainerState& state, std::int64_t schedule_step) {
  const torch::NoGradGuard no_grad;
  if (text_of(state, "objective") != options_.objective) {
    throw SnapshotError("The snapshot was made with --objective " + text_of(state, "objective") + ", this run has " +
                        options_.objective + ".");
  }
  std::map<std::string, at::Tensor> saved(state.tensors.begin(), state.tensors.end());
  const at::Tensor clusters = saved[kClusters];
  saved.erase(kClusters);
  const auto named = named_tensors();
  const std::size_t trained = trained_tensors().size();
  for (std::size_t i = 0; i < named.size(); ++i) {
    const auto& [name, live] = named[i];
    const auto found = saved.find(name);
    if (found == saved.end()) {
      throw SnapshotError("The snapshot has no '" + name + "', which this run needs (" + flags_of(name) + ").");
    }
    check_fits(name, found->second, live);
    const auto momentum = saved.find(kMomentum + name);
    if (i < trained && momentum != saved.end()) check_fits(momentum->first, momentum->second, live);
  }
  std::size_t known = named.size();
  for (std::size_t i = 0; i < trained; ++i) known += saved.count(kMomentum + named[i].first);
  if (known != saved.size()) {
    for (const auto& [name, tensor] : named) {
      saved.erase(name);
      saved.erase(kMomentum + name);
    }
    const std::string& extra = saved.begin()->first;
    throw SnapshotError("The snapshot holds '" + extra + "', which this run has not (" + flags_of(extra) + ").");
  }
  const std::int64_t steps = count_of(state, "steps_done");
  const std::int64_t skipped = count_of(state, "skipped_steps");
  const std::int64_t in_a_row = count_of(state, "skipped_in_a_row");
  const std::int64_t last_look = count_of(state, "last_look");
  const auto stretch = state.numbers.find("hard_set_stretch");
  if (stretch == state.numbers.end() || !std::holds_alternative<double>(stretch->second)) {
    throw SnapshotError("The snapshot has no number 'hard_set_stretch'.");
  }
  const std::int64_t clusters_round = clusters.defined() ? count_of(state, kClustersRound) : 0;
  // From here on nothing is refused.
  if (NegativeSampler* sampler = loss_->sampler()) {
    // Another sampler begins afresh.
    const bool same = text_of(state, "sampler") == options_.sampler + " " + options_.sampler_options;
    if (same) sampler->restore(text_of(state, "sampler_state"));
    if (same && clusters.defined()) {
      loss_->exchange().clusters().restore(clusters.to(place_.device, at::kDouble), clusters_round);
    }
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    torch::Tensor live = named[i].second;
    live.copy_(saved.at(named[i].first));
    if (i >= trained) continue;
    optimizer_->state().erase(live.unsafeGetTensorImpl());
    const auto momentum = saved.find(kMomentum + named[i].first);
    if (momentum == saved.end()) continue;
    auto sgd = std::make_unique<torch::optim::SGDParamState>();
    sgd->momentum_buffer(momentum->second.to(live.device(), live.scalar_type(), false, /*copy=*/true));
    optimizer_->state()[live.unsafeGetTensorImpl()] = std::move(sgd);
  }
  steps_done_ = steps;
  schedule_shift_ = schedule_step - steps;
  guard_.restore(skipped, in_a_row);
  last_look_ = last_look;
  loss_->exchange().hard_set_search().restore_stretch(std::get<double>(stretch->second));
}

}  // namespace negatron
