#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "comm/communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/data/image_source.h"
#include "runtime/run/pretrain.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/find_snapshot.h"
#include "runtime/snapshots/trainer_state.h"
#include "runtime/training/pretrain_options.h"

namespace negatron::testing {

/// 50 images of 12 x 12 with structure that views keep: a rectangle each.
std::shared_ptr<const ImageSource> rectangles();
/// A run that learns in 20 steps: 5 steps an epoch, the last of them ragged.
PretrainOptions small_options(const std::string& objective);

/// The batches of a rank that trains on rectangles() with these options.
BatchSource small_batches(const PretrainOptions& options, const Communicator& comm);

/// The same with a memory bank of rectangles().
PretrainOptions with_memory(PretrainOptions options);
/// The same with an index of rectangles().
PretrainOptions with_index(PretrainOptions options);
/// The same with a learned bank.
PretrainOptions with_learned(PretrainOptions options);
/// The same with a parametric bank of rectangles().
PretrainOptions with_parametric(PretrainOptions options);
/// The same with a bank of that kind.
PretrainOptions with_rows_of(BankKind kind, const PretrainOptions& options);

/// A communicator of the same ranks, made on each of them.
using MakeCommunicator = std::function<std::unique_ptr<Communicator>(Communicator& host)>;

/// One start of `pretrain`, over ranks as threads.
struct SmallStart {
  PretrainOptions options;
  int ranks = 2;
  std::filesystem::path run_directory;
  Precision precision = Precision::kFp32;
  /// Of which each rank has the one of its number.
  at::DeviceType device = at::kCPU;
  /// Over which the run computes; empty for the one of the threads.
  MakeCommunicator communicator;
  /// "auto": the newest snapshot there; "": none; else the path of one.
  std::string resume;
  std::string bank;
  bool convert_bank = false;
  /// Of this rank alone, from before the first step on; -1 for none.
  int signalled_rank = -1;
  bool stop = false;
  bool leave = false;
  bool terminated = false;
  /// What it trains on and evaluates; without a training part, rectangles().
  PretrainData data;
  /// Gets what rank 0 prints; may be null.
  std::string* said = nullptr;
};
PretrainSummary run(const SmallStart& start);

/// What the first steps of a trainer came to, on rank 0 of ranks as threads that train on rectangles().
struct FirstSteps {
  std::vector<double> losses;
  /// Copies of all that the trainer would save.
  std::vector<std::pair<std::string, at::Tensor>> tensors;
};
FirstSteps first_steps(const PretrainOptions& options, Precision precision, int ranks, int steps);
/// That the first steps have the same losses on one rank and on each of these numbers of ranks, to this relative
/// tolerance, and that they change. On 3 ranks shares are unlike and one has none of an epoch's last batch: what else
/// is compared on all numbers of ranks is compared there alone in further variants.
void expect_same_losses(const PretrainOptions& options, Precision precision, double tolerance,
                        const std::vector<int>& ranks = {2, 3, 4});
inline constexpr int kComparedSteps = 20;

/// The newest snapshot of a run, with all that it holds.
struct Saved {
  std::int64_t step = 0;
  int world_size = 0;
  TrainerState trainer;
  std::optional<SavedBank> bank;
  /// Every key that counts, in its global order.
  BankBlock keys;
  /// Those of the banks that follow the first.
  std::vector<BankBlock> further_keys;
};
Saved newest_saved(const std::filesystem::path& run_directory);
std::filesystem::path newest_path(const std::filesystem::path& run_directory);

/// Why such a run would not begin on one rank with these data; "accepted" where it would.
std::string refusal_of(const PretrainOptions& options);

/// The loss of each step in metrics.jsonl.
std::vector<double> step_losses(const std::filesystem::path& run_directory);
/// metrics.jsonl without clocks; with `event`, only lines of that event ("step" for those of steps).
std::vector<nlohmann::json> metrics_lines(const std::filesystem::path& run_directory, const std::string& event = "");

}  // namespace negatron::testing
