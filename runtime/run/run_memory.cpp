#include "runtime/run/run_memory.h"

#include "comm/share.h"
#include "runtime/run/data_memory.h"
#include "runtime/training/bank_setup.h"
#include "runtime/training/view_banks.h"
#include "samplers/bank/bank_layout.h"

namespace negatron {
namespace {

/// Slot, label, id and step of a row, and whether it counts (samplers/bank/bank.cpp).
constexpr std::int64_t kNumbersOfRow = 4 * sizeof(std::int64_t) + sizeof(float);

std::int64_t parameters_of(const Backbone& backbone, const ProjectionHeadOptions& head) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : backbone.parameters()) count += parameter.numel();
  // Weights and biases of two layers.
  return count + (backbone.feature_width() + 1) * head.hidden + (head.hidden + 1) * head.output;
}

}  // namespace

RunMemory run_memory(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                     const PretrainData& data, const Backbone& backbone, int ranks) {
  RunMemory memory;
  const auto element = static_cast<std::int64_t>(at::elementSize(parameter_dtype(place.precision)));
  memory.parameters = parameters_of(backbone, options.head) * element;
  // One gradient and one momentum buffer for each parameter; AdamW has two means.
  const std::int64_t kept = options.optimizer.kind == OptimizerKind::kAdamW ? 3 : 2;
  memory.gradients_and_optimizer = kept * memory.parameters;
  if (setup.keys() == KeyMaker::kMomentumEncoder) memory.key_encoder = memory.parameters;
  const bool saves = options.snapshots.every.unit != RunInterval::Unit::kNever;
  // Ranks that share a copy of the bank share its rows.
  const int sharing = options.shards > 0 ? static_cast<int>(options.shards) : ranks;
  if (setup.has_bank()) {
    const BankLayout layout = layout_of_bank(options, sharing);
    const auto banks = static_cast<std::int64_t>(bank_names(options).size());
    const std::int64_t rows = banks * layout.local_rows(0);
    const auto stored = static_cast<std::int64_t>(at::elementSize(row_type(options, place.precision)));
    memory.bank_rows = rows * options.width_of_rows() * stored;
    memory.bank_numbers = rows * kNumbersOfRow;
    // The old rows stay until the last new one is there, and with a snapshot that is being written of them, longer.
    if (setup.has_index()) memory.bank_anew = (saves ? 2 : 1) * memory.bank_rows;
    if (setup.has_rows_that_learn()) {
      const std::int64_t width = options.head.output;
      // Raw rows, moments, and the gradient of each direction; and while they are saved all but that once more.
      const std::int64_t kept_rows = rows * (width + moments_width(options.rows.kind, width)) * element;
      memory.bank_learning = kept_rows + (options.both_directions() ? 2 : 1) * rows * options.width_of_rows() * element;
      if (saves) memory.bank_learning += memory.bank_rows + kept_rows + memory.bank_numbers;
    }
  }
  if (setup.has_bank() && setup.sampler.slots_of_sample != nullptr) {
    const std::int64_t slots = options.bank_rows * setup.sampler.slots_of_sample(setup.sampler_options);
    // Of a save all of it is copied first.
    memory.sampler_lists = (saves ? 2 : 1) * slots * static_cast<std::int64_t>(sizeof(std::int64_t));
  }
  if (const std::optional<Mining> mining = setup.mining()) {
    // The lists that batches are made by, those that are new, and a rank's share of these.
    const std::int64_t lists = 2 * options.bank_rows + share(options.bank_rows, sharing, 0).size();
    memory.sampler_lists += lists * mining->drawn * static_cast<std::int64_t>(sizeof(std::int64_t));
  }
  if (options.batch_order == BatchOrder::kSimilar) {
    // A rank's share of the samples in fp64, and what the encoder made of them where no bank has their rows.
    const bool in_bank = setup.has_rows_of_samples();
    const std::int64_t samples = share(data.train->size(), in_bank ? sharing : ranks, 0).size();
    const std::int64_t bytes = sizeof(double) + (in_bank ? 0 : sizeof(float));
    memory.ordered_rows = samples * options.head.output * bytes;
  }
  memory.images = image_bytes(data);
  const BatchQueue queue = batch_queue(options, data, data.train->view_size(), ranks, setup.views_in_batch(options));
  memory.batches = queue.batches * queue.batch_bytes;
  return memory;
}

}  // namespace negatron
