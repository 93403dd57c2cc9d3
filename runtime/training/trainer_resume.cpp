// How a trainer goes into a snapshot and comes out of it.

#include <map>

#include "runtime/snapshots/snapshot_error.h"
#include "runtime/text/utf8_text.h"
#include "runtime/training/trainer.h"

namespace negatron {
namespace {

// Names in snapshots: they stay as they are.
constexpr const char* kObjective = "objective";
constexpr const char* kSampler = "sampler";
constexpr const char* kStepsDone = "steps_done";
constexpr const char* kSkipped = "skipped_steps";
constexpr const char* kSkippedInARow = "skipped_in_a_row";
constexpr const char* kLastLook = "last_look";

std::string sizes_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.sizes()) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "] of " + c10::toString(tensor.scalar_type());
}

/// The flags that decide whether a tensor is there, and its shape.
std::string flags_of(const std::string& name) {
  if (name.find("predictor.") != std::string::npos) return "--objective, --predictor-hidden, --head-norm, --width";
  if (name.find("objective.") != std::string::npos) return "--objective, --objective-options, --learn-tau";
  if (name.find("generator.") != std::string::npos) return "--sampler, --sampler-options";
  for (const char* memory : {"momentum.", "lars_momentum.", "adam_"}) {
    if (name.starts_with(memory)) return "--optimizer";
  }
  if (name.starts_with("key_encoder.")) return "--objective, --negatives, --sampler and the flags of the encoder";
  if (name.starts_with("encoder.backbone.")) {
    return "--encoder, --encoder-channels, --pool-grid, --stem, --encoder-norm";
  }
  return "--encoder, --encoder-channels, --pool-grid, --head-hidden, --head-norm, --width";
}

void check_fits(const std::string& name, const at::Tensor& saved, const at::Tensor& live) {
  if (saved.sizes() != live.sizes()) {
    throw SnapshotError("The snapshot's '" + shown_text(name) + "' is " + sizes_text(saved) + ", this run's is " +
                        sizes_text(live) + " (" + flags_of(name) + ").");
  }
  if (saved.scalar_type() != live.scalar_type()) {
    throw SnapshotError("The snapshot's '" + shown_text(name) + "' is " + sizes_text(saved) + ", this run's is " +
                        sizes_text(live) + " (--precision).");
  }
}

/// What the optimizer remembers of a tensor, as snapshots name it.
std::string in_memory(const Optimizer::Memory& memory, const std::string& name) {
  return memory.name + "." + name;
}

struct Counts {
  std::int64_t steps_done = 0;
  std::int64_t skipped = 0;
  std::int64_t skipped_in_a_row = 0;
  std::int64_t last_look = 0;
};

/// Throws MissingState.
Counts counts_of(const TrainerState& state) {
  for (const char* name : {kStepsDone, kSkipped, kSkippedInARow}) {
    if (state.count(name) < 0) throw MissingState("no possible '" + std::string(name) + "'");
  }
  return {state.count(kStepsDone), state.count(kSkipped), state.count(kSkippedInARow), state.count(kLastLook)};
}

}  // namespace

// What is trained comes first, in the order of trained_tensors(): the loops below tell by the index alone which
// tensors the optimizer remembers something of. Buffers and the key encoder, which no optimizer touches, follow.
Trainer::NamedTensors Trainer::named_tensors() const {
  NamedTensors named;
  for (const auto& parameter : encoders_.trained().named_parameters()) {
    named.emplace_back(parameter.key(), parameter.value());
  }
  for (const auto& parameter : loss_->named_parameters()) named.push_back(parameter);
  for (const auto& buffer : encoders_.trained().named_buffers()) named.emplace_back(buffer.key(), buffer.value());
  if (!encoders_.has_momentum_encoder()) return named;
  const ContrastiveEncoder& key = encoders_.momentum_encoder();
  for (const auto& parameter : key.named_parameters()) {
    named.emplace_back("key_encoder." + parameter.key(), parameter.value());
  }
  for (const auto& buffer : key.named_buffers()) named.emplace_back("key_encoder." + buffer.key(), buffer.value());
  return named;
}

Optimizer::Remembered Trainer::remembered_in(const SavedTensors& saved, const std::string& name) const {
  Optimizer::Remembered remembered;
  for (const Optimizer::Memory& memory : optimizer_->memories()) {
    const auto found = saved.find(in_memory(memory, name));
    if (found != saved.end()) remembered[memory.name] = found->second;
  }
  return remembered;
}

TrainerState Trainer::state() const {
  TrainerState state;
  const NamedTensors named = named_tensors();
  for (const auto& [name, tensor] : named) state.tensors.emplace_back(name, tensor.detach());
  const std::size_t trained = trained_tensors().size();
  for (std::size_t i = 0; i < trained; ++i) {
    const Optimizer::Remembered remembered = optimizer_->remembered(named[i].second);
    for (const Optimizer::Memory& memory : optimizer_->memories()) {
      const auto found = remembered.find(memory.name);
      if (found != remembered.end()) state.tensors.emplace_back(in_memory(memory, named[i].first), found->second);
    }
  }
  state.text[kObjective] = options_.objective;
  if (loss_->sampler() != nullptr) state.text[kSampler] = sampler_text();
  state.numbers[kStepsDone] = steps_done_;
  state.numbers[kSkipped] = guard_.skipped();
  state.numbers[kSkippedInARow] = guard_.consecutive();
  state.numbers[kLastLook] = report_.last_look();
  state.add(loss_->state());
  return state;
}

void Trainer::restore(const TrainerState& state, std::int64_t schedule_step) {
  const torch::NoGradGuard no_grad;
  if (state.text_of(kObjective) != options_.objective) {
    throw SnapshotError("The snapshot was made with --objective " + shown_text(state.text_of(kObjective)) +
                        ", this run has " + options_.objective + ".");
  }
  SavedTensors saved(state.tensors.begin(), state.tensors.end());
  std::erase_if(saved, [](const auto& one) { return ContrastiveLoss::remembers(one.first); });
  // Everything that may refuse the snapshot comes before the first tensor is changed: a run that was refused is as it
  // was.
  check_tensors(saved);
  Counts counts;
  try {
    counts = counts_of(state);
    // The last that may refuse, and it changes nothing then.
    loss_->restore(state, state.text_of(kSampler) == sampler_text(), encoders_.place().device);
  } catch (const MissingState& missing) {
    throw SnapshotError("The snapshot has " + std::string(missing.what()) + ".");
  }
  take_tensors(saved);
  steps_done_ = counts.steps_done;
  // Added to the step when a schedule is asked, so that the count of steps and the place in the schedule may differ.
  schedule_shift_ = schedule_step - counts.steps_done;
  guard_.restore(counts.skipped, counts.skipped_in_a_row);
  report_.restore(counts.last_look);
}

void Trainer::check_tensors(const SavedTensors& saved) const {
  const NamedTensors named = named_tensors();
  const std::size_t trained = trained_tensors().size();
  SavedTensors unknown = saved;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const auto& [name, live] = named[i];
    const auto found = saved.find(name);
    if (found == saved.end()) {
      throw SnapshotError("The snapshot has no '" + name + "', which this run needs (" + flags_of(name) + ").");
    }
    check_fits(name, found->second, live);
    // What is left at the end is in the snapshot and not in this run, which means that their flags differ.
    unknown.erase(name);
    if (i >= trained) continue;
    const bool has_memory = !remembered_in(saved, name).empty();
    for (const Optimizer::Memory& memory : optimizer_->memories()) {
      const std::string remembered = in_memory(memory, name);
      const auto kept = saved.find(remembered);
      if (kept == saved.end() && has_memory) throw SnapshotError("The snapshot has no '" + remembered + "'.");
      if (kept == saved.end()) continue;
      check_fits(remembered, kept->second, memory.is_count ? at::empty({}, at::kLong) : live);
      unknown.erase(remembered);
    }
  }
  if (unknown.empty()) return;
  const std::string& extra = unknown.begin()->first;
  throw SnapshotError("The snapshot holds '" + shown_text(extra) + "', which this run has not (" + flags_of(extra) +
                      ").");
}

void Trainer::take_tensors(const SavedTensors& saved) {
  const NamedTensors named = named_tensors();
  const std::size_t trained = trained_tensors().size();
  for (std::size_t i = 0; i < named.size(); ++i) {
    at::Tensor live = named[i].second;
    live.copy_(saved.at(named[i].first));
    if (i >= trained) continue;
    // A parameter of which the snapshot remembers nothing must not keep what this run remembers.
    optimizer_->restore(live, remembered_in(saved, named[i].first));
  }
}

}  // namespace negatron
