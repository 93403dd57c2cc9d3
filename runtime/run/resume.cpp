#include "runtime/run/resume.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "comm/together.h"
#include "runtime/data/normalization_text.h"
#include "runtime/run/fitting_bank.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{8} << 20;
constexpr const char* kConfig = "config";
constexpr const char* kNormalization = "normalization";
constexpr const char* kData = "data";
constexpr const char* kChannels = "channels";
constexpr const char* kViewHeight = "view_height";
constexpr const char* kViewWidth = "view_width";
constexpr const char* kVersion = "version";
constexpr const char* kOrder = "epoch_order";
constexpr const char* kOrderEpoch = "epoch_of_order";
constexpr const char* kBankWaits = "bank_waits";

/// together(), whose failures are those of the snapshot. Collective.
void read_together(Communicator& comm, const std::function<void()>& work) {
  failing_as<SnapshotError>([&] { together(comm, work); });
}

std::int64_t count_of(const TrainerState& state, const char* name) {
  const auto found = state.numbers.find(name);
  const auto* value = found == state.numbers.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  if (value == nullptr || *value < 0) throw SnapshotError(std::string("The snapshot has no count '") + name + "'.");
  return *value;
}

double real_of(const TrainerState& state, const char* name) {
  const auto found = state.numbers.find(name);
  const auto* value = found == state.numbers.end() ? nullptr : std::get_if<double>(&found->second);
  return value == nullptr ? std::nan("") : *value;
}

/// 0 where older versions kept none.
std::int64_t count_if_there(const TrainerState& state, const char* name) {
  return state.numbers.contains(name) ? count_of(state, name) : 0;
}

RunPosition saved_position(const TrainerState& state) {
  RunPosition saved;
  saved.epoch = count_of(state, "epoch");
  saved.batch_in_epoch = count_of(state, "batch_in_epoch");
  saved.steps_per_epoch = count_of(state, "steps_per_epoch");
  saved.global_batch = count_of(state, "global_batch");
  saved.raw_pixels = real_of(state, "knn_raw_pixels");
  saved.random_weights = real_of(state, "knn_random_weights");
  saved.bank_waits = count_if_there(state, kBankWaits) > 0;
  return saved;
}

/// The saved position in this run's batches.
RunPosition position_here(const RunPosition& saved, const RunPosition& here) {
  RunPosition position = saved;
  position.normalization = here.normalization;
  position.channels = here.channels;
  position.view_size = here.view_size;
  position.data = here.data;
  position.samples = here.samples;
  position.steps_per_epoch = here.steps_per_epoch;
  position.global_batch = here.global_batch;
  if (saved.batch_in_epoch >= saved.steps_per_epoch) {
    position.batch_in_epoch = here.steps_per_epoch;
  } else if (saved.global_batch != here.global_batch || saved.steps_per_epoch != here.steps_per_epoch) {
    // Example: 100 batches of 256 are 25,600 samples, which are 50 batches of 512. With batches of 300 they are 85,
    // rounded down: the last 100 samples are met twice rather than left out.
    const std::int64_t samples = saved.batch_in_epoch * saved.global_batch;
    position.batch_in_epoch = std::min(samples / here.global_batch, here.steps_per_epoch);
  }
  return position;
}

/// Takes the order of the epoch out of `state`, where it has one. Throws SnapshotError where it is none.
at::Tensor taken_order(TrainerState& state) {
  const auto found =
      std::find_if(state.tensors.begin(), state.tensors.end(), [](const auto& one) { return one.first == kOrder; });
  if (found == state.tensors.end()) return {};
  at::Tensor order = found->second.cpu();
  state.tensors.erase(found);
  const bool is_one = order.dim() == 1 && order.scalar_type() == at::kLong &&
                      at::equal(std::get<0>(order.sort()), at::arange(order.size(0), at::kLong));
  if (!is_one) throw SnapshotError("The snapshot's '" + std::string(kOrder) + "' is no order of samples.");
  return order;
}

WantedBanks wanted_banks(Trainer& trainer) {
  WantedBanks wanted;
  for (const NamedBank& one : trainer.banks()) {
    wanted.options = one.bank->options();
    wanted.names.push_back(one.name);
  }
  return wanted;
}

/// As the random rows of a start: a key of another run has no age in this one, and rows that learn are at rest.
void begin_from(const Snapshot& snapshot, const NamedBank& own) {
  constexpr std::int64_t kNoStep = -1;
  const SavedBank& saved = *snapshot.manifest.bank_named(own.name);
  BankReader reader(snapshot.path, saved, kBlockBytes, BankReader::Learned::kRead);
  BankLayoutState layout = saved.layout;
  for (BankBatch& batch : layout.batches) batch.step = kNoStep;
  const BankOptions& options = own.bank->options();
  own.bank->restore(layout, [&](Range sequence) {
    BankBlock block = reader.read(sequence);
    block.steps = at::full_like(block.steps, kNoStep);
    if (block.moments.defined()) {
      const std::int64_t numbers = moments_width(options.row_optimizer, block.raw.size(1));
      block.moments = at::zeros({block.raw.size(0), numbers}, block.raw.options());
    }
    return block;
  });
}

/// Nothing for an empty text.
std::optional<Normalization> normalization_in(const std::string& text, const std::string& name) {
  if (text.empty()) return std::nullopt;
  try {
    return parse_normalization(text);
  } catch (const std::invalid_argument&) {
    throw SnapshotError(name + " normalises with '" + shown_text(text) + "', which is no means and deviations.");
  }
}

/// Nothing where the snapshot has none.
std::optional<Normalization> normalization_of(const Snapshot& snapshot, std::int64_t channels) {
  const std::string name = "The snapshot '" + snapshot.path.string() + "'";
  const auto normalization = normalization_in(load_trainer_text(snapshot, kNormalization), name);
  if (!normalization || normalization->serves(channels)) return normalization;
  throw SnapshotError(name + " normalises images of " + std::to_string(normalization->mean().size()) +
                      " channels, the data have " + std::to_string(channels) + " (--data).");
}

bool has_baselines(const RunPosition& position) {
  return !std::isnan(position.raw_pixels) || !std::isnan(position.random_weights);
}

/// What goes along with the bank of a snapshot, if the trainer has one.
TakenAlong taken_along(const Snapshot& snapshot, const RunPosition& here, const Trainer& trainer) {
  TakenAlong taken;
  taken.from = "snapshot '" + snapshot.path.string() + "'";
  // An index is made anew of the images that there are.
  if (trainer.bank() == nullptr || trainer.bank()->kind() == BankKind::kIndex) return taken;
  taken.bank_rows = trainer.bank()->capacity();
  taken.rows_are_positives = rows_are_positives(trainer.bank()->kind());
  taken.rows_learn = rows_learn(trainer.bank()->kind());
  taken.bank_steps = (taken.bank_rows + here.global_batch - 1) / here.global_batch;
  return taken;
}

}  // namespace

TrainerState run_state(const Trainer& trainer, const RunPosition& position, const SnapshotOrigin& origin) {
  TrainerState state = trainer.state();
  state.text[kConfig] = origin.config;
  if (!origin.version.empty()) state.text[kVersion] = origin.version;
  state.text[kNormalization] = normalization_text(position.normalization);
  state.text[kData] = identity_text(position.data);
  if (position.order.defined()) {
    state.tensors.emplace_back(kOrder, position.order);
    state.numbers[kOrderEpoch] = position.epoch;
  }
  if (position.bank_waits) state.numbers[kBankWaits] = std::int64_t{1};
  state.numbers["epoch"] = position.epoch;
  state.numbers["batch_in_epoch"] = position.batch_in_epoch;
  state.numbers["steps_per_epoch"] = position.steps_per_epoch;
  state.numbers["global_batch"] = position.global_batch;
  state.numbers[kChannels] = position.channels;
  state.numbers[kViewHeight] = position.view_size.height;
  state.numbers[kViewWidth] = position.view_size.width;
  if (!std::isnan(position.raw_pixels)) state.numbers["knn_raw_pixels"] = position.raw_pixels;
  if (!std::isnan(position.random_weights)) state.numbers["knn_random_weights"] = position.random_weights;
  return state;
}

void check_saved_run(const Manifest& manifest, const TrainerState& state) {
  constexpr const char* kStepsDone = "steps_done";
  const RunPosition saved = saved_position(state);
  const std::int64_t steps = count_of(state, kStepsDone);
  if (steps != manifest.step) {
    throw SnapshotError("The snapshot says that " + std::to_string(steps) + " steps are done, its manifest " +
                        std::to_string(manifest.step) + ".");
  }
  // More batches or larger ones than this are none, and their product would not fit.
  constexpr std::int64_t kMost = std::int64_t{1} << 31U;
  for (const std::int64_t count : {saved.epoch, saved.batch_in_epoch, saved.steps_per_epoch, saved.global_batch}) {
    if (count >= kMost) throw SnapshotError("The snapshot has no possible count of epochs, batches and samples.");
  }
  const std::int64_t width = manifest.banks.empty() ? 0 : manifest.banks.front().width;
  for (const auto& [name, tensor] : state.tensors) {
    if (!ContrastiveLoss::remembers_rows(name) || (tensor.dim() == 2 && tensor.size(1) == width)) continue;
    throw SnapshotError("The snapshot's '" + name + "' are no rows of its bank's width, " + std::to_string(width) +
                        ".");
  }
  if (saved.global_batch < 1 || saved.batch_in_epoch > saved.steps_per_epoch) {
    throw SnapshotError("The snapshot says that batch " + std::to_string(saved.batch_in_epoch) + " of " +
                        std::to_string(saved.steps_per_epoch) + " with " + std::to_string(saved.global_batch) +
                        " samples each is next.");
  }
}

std::string saved_config(const Snapshot& snapshot) {
  return load_trainer_text(snapshot, kConfig);
}

SavedInputs saved_inputs(const TrainerState& state, const std::string& name) {
  SavedInputs saved;
  saved.normalization = normalization_in(state.text_of(kNormalization), name);
  saved.channels = count_if_there(state, kChannels);
  saved.view_size = {count_if_there(state, kViewHeight), count_if_there(state, kViewWidth)};
  saved.config = state.text_of(kConfig);
  return saved;
}

std::optional<Normalization> saved_normalization(Communicator& comm, const Snapshot& snapshot, std::int64_t channels) {
  std::optional<Normalization> normalization;
  read_together(comm, [&] { normalization = normalization_of(snapshot, channels); });
  return normalization;
}

ResumedRun resume_run(Communicator& comm, const Snapshot& snapshot, const RunPosition& here, bool convert_bank,
                      Trainer& trainer) {
  ResumedRun resumed;
  RunPosition& position = resumed.position;
  read_together(comm, [&] {
    TrainerState state = load_trainer(snapshot);
    position = position_here(saved_position(state), here);
    position.order = taken_order(state);
    // An order is that of its epoch, and of its samples.
    const bool is_of_epoch = count_if_there(state, kOrderEpoch) == position.epoch;
    const bool is_of_samples = position.order.defined() && position.order.size(0) == here.samples;
    if (!is_of_epoch || !is_of_samples) position.order = at::Tensor();
    const std::optional<DataIdentity> saved = parse_identity(state.text_of(kData));
    if (saved && *saved != here.data) {
      TakenAlong taken = taken_along(snapshot, here, trainer);
      taken.normalization = !here.normalization_is_given;
      taken.baselines = has_baselines(position);
      resumed.remarks = what_changed_meaning(*saved, here.data, taken);
      if (saved->images != here.data.images) {
        resumed.other_images = saved;
        position.order = at::Tensor();
      }
      position.raw_pixels = position.random_weights = std::nan("");
    }
    require_banks(snapshot, wanted_banks(trainer), convert_bank);
    require_row_optimizer(snapshot, wanted_banks(trainer));
    trainer.restore(state, position.epoch * here.steps_per_epoch + position.batch_in_epoch);
    for (const NamedBank& one : trainer.banks()) load_bank(snapshot, *one.bank, {convert_bank, kBlockBytes, one.name});
  });
  return resumed;
}

std::vector<std::string> start_from_bank(Communicator& comm, const Snapshot& snapshot, const RunPosition& here,
                                         bool convert_bank, Trainer& trainer) {
  std::vector<std::string> remarks;
  read_together(comm, [&] {
    if (trainer.bank() == nullptr) throw SnapshotError("--bank gives a bank, but this run has none (--negatives).");
    require_banks(snapshot, wanted_banks(trainer), convert_bank);
    for (const NamedBank& one : trainer.banks()) begin_from(snapshot, one);
    // A bank that was imported or merged comes from no data that anybody knows.
    if (!snapshot.manifest.has(kTrainerName)) return;
    const std::optional<DataIdentity> saved = parse_identity(load_trainer_text(snapshot, kData));
    if (saved) remarks = what_changed_meaning(*saved, here.data, taken_along(snapshot, here, trainer));
  });
  return remarks;
}

}  // namespace negatron
