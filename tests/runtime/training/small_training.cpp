#include "tests/runtime/training/small_training.h"

#include <fstream>
#include <sstream>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/sources/images_in_memory.h"
#include "runtime/run/run_loader.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/training/trainer.h"
#include "samplers/random/philox.h"

namespace negatron::testing {

/// 50 images of 12 x 12 with structure that views keep: a rectangle each.
std::shared_ptr<const ImageSource> rectangles() {
  constexpr std::int64_t kImages = 50;
  constexpr std::int64_t kSide = 12;
  const at::Tensor images = at::zeros({kImages, 1, kSide, kSide}, at::kByte);
  for (std::int64_t i = 0; i < kImages; ++i) {
    CounterRng random(1, Purpose::kEvaluation, 0, static_cast<std::uint64_t>(i));
    const auto top = static_cast<std::int64_t>(random.below(8));
    const auto left = static_cast<std::int64_t>(random.below(8));
    images[i][0].narrow(0, top, 4).narrow(1, left, 3).fill_(80 + 20 * (i % 5));
  }
  return std::make_shared<const ImagesInMemory>(images, at::arange(kImages, at::kLong).remainder(5));
}

PretrainOptions small_options(const std::string& objective) {
  PretrainOptions options;
  options.objective = objective;
  options.encoder.channels = {8, 16};
  options.encoder.strides = {1, 2};
  options.encoder.groups = 4;
  options.head.hidden = 32;
  options.head.output = 16;
  // 50 samples in batches of 12: the last batch of an epoch has 2, so some of 3 or 4 ranks have none.
  options.global_batch = 12;
  // Tests of TensorBoard's files ask for them.
  options.tensorboard = false;
  options.epochs = 6;
  // Neither a multiple of the batch nor of any number of ranks, longer than an epoch: own samples get masked.
  options.bank_rows = 71;
  options.learning_rate = 2.0;
  options.seed = 7;
  return options;
}

BatchSource small_batches(const PretrainOptions& options, const Communicator& comm) {
  const auto data = rectangles();
  BatchOptions batches;
  batches.global_batch = options.global_batch;
  batches.rank = comm.rank();
  batches.ranks = comm.size();
  batches.seed = options.seed;
  batches.views = options.views_of_sample();
  batches.augmentation = options.augmentation;
  batches.format = ViewFormat::of(*data);
  return {data, batches};
}

PretrainOptions with_memory(PretrainOptions options) {
  options.bank_kind = BankKind::kMemory;
  options.bank_rows = rectangles()->size();
  return options;
}

PretrainOptions with_index(PretrainOptions options) {
  options.bank_kind = BankKind::kIndex;
  options.bank_rows = rectangles()->size();
  return options;
}

PretrainOptions with_learned(PretrainOptions options) {
  options.bank_kind = BankKind::kLearned;
  // As fast as rows of so small a bank have to be to matter in a few steps.
  options.rows.rate = 1.0;
  options.rows_tau = 0.1;
  return options;
}

PretrainOptions with_parametric(PretrainOptions options) {
  options.bank_kind = BankKind::kParametric;
  options.bank_rows = rectangles()->size();
  options.rows.rate = 1.0;
  return options;
}

PretrainOptions with_rows_of(BankKind kind, const PretrainOptions& options) {
  switch (kind) {
    case BankKind::kQueue:
      return options;
    case BankKind::kMemory:
      return with_memory(options);
    case BankKind::kLearned:
      return with_learned(options);
    case BankKind::kIndex:
      return with_index(options);
    case BankKind::kParametric:
      return with_parametric(options);
  }
  return options;
}

PretrainSummary run(const SmallStart& start) {
  PretrainSummary summary;
  std::filesystem::create_directories(start.run_directory);
  const PretrainData data = start.data.train ? start.data : PretrainData{rectangles(), rectangles(), {}};
  run_ranks(start.ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    PosixFileLayer files;
    RunSignals requests;
    if (comm.rank() == start.signalled_rank) {
      requests.terminated.store(start.terminated);
      (start.stop ? requests.stop : start.leave ? requests.leave : requests.snapshot).store(true);
    }
    std::ostringstream out;
    PretrainJob job;
    job.run_directory = start.run_directory;
    job.config = "objective = " + start.options.objective;
    job.version = "negatron of this test";
    job.host = &comm;
    job.files = &files;
    job.requests = &requests;
    job.convert_bank = start.convert_bank;
    job.out = &out;
    if (start.resume == "auto") {
      job.resume = find_newest_snapshot(comm, files, start.run_directory, {}).snapshot.value();
    } else if (!start.resume.empty()) {
      job.resume = open_snapshot(comm, files, start.resume, {});
    }
    if (!start.bank.empty()) job.bank = open_snapshot(comm, files, start.bank, {});
    const auto made = start.communicator ? start.communicator(comm) : nullptr;
    const at::Device device = start.device == at::kCPU
                                  ? at::Device(at::kCPU)
                                  : at::Device(start.device, static_cast<at::DeviceIndex>(comm.rank()));
    const PretrainSummary own = pretrain(start.options, resolve_contrast(start.options), {device, start.precision},
                                         data, made ? *made : comm, job);
    if (comm.rank() == 0) summary = own;
    if (comm.rank() == 0 && start.said != nullptr) *start.said = out.str();
  });
  return summary;
}

FirstSteps first_steps(const PretrainOptions& options, Precision precision, int ranks, int steps) {
  FirstSteps first;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const PretrainData data{rectangles(), nullptr, {}};
    const ContrastSetup setup = resolve_contrast(options);
    const ViewFormat format = ViewFormat::of(*data.train);
    const ComputePlace place{at::kCPU, precision};
    Loader loader = make_run_loader(data, run_loader_options(options, setup, data, format, comm), place);
    Trainer trainer(options, setup, place, comm,
                    {data.train->channels(), loader.steps_per_epoch(), {}, data.train->view_size()});
    StepTimer timer;
    for (std::int64_t epoch = 0; trainer.steps_done() < steps; ++epoch) {
      loader.start_epoch(epoch);
      for (auto batch = loader.next(); batch && trainer.steps_done() < steps; batch = loader.next()) {
        timer.start_step();
        const StepMetrics metrics = trainer.step(*batch, timer);
        if (comm.rank() == 0) first.losses.push_back(metrics.loss);
      }
    }
    if (comm.rank() != 0) return;
    for (const auto& [name, tensor] : trainer.state().tensors) first.tensors.emplace_back(name, tensor.clone());
  });
  return first;
}

void expect_same_losses(const PretrainOptions& options, Precision precision, double tolerance,
                        const std::vector<int>& ranks) {
  const std::vector<double> one = first_steps(options, precision, 1, kComparedSteps).losses;
  ASSERT_EQ(one.size(), static_cast<std::size_t>(kComparedSteps));
  // A run in which nothing is learned would agree too.
  EXPECT_GT(std::abs(one.front() - one.back()), 1e-3);
  for (const int count : ranks) {
    const std::vector<double> many = first_steps(options, precision, count, kComparedSteps).losses;
    ASSERT_EQ(many.size(), one.size());
    for (std::size_t step = 0; step < one.size(); ++step) {
      EXPECT_NEAR(many[step], one[step], tolerance * std::abs(one[step])) << count << " ranks, step " << step;
    }
  }
}

std::filesystem::path newest_path(const std::filesystem::path& run_directory) {
  return list_snapshots(PosixFileLayer(), run_directory / "snapshots").at(0).path;
}

Saved newest_saved(const std::filesystem::path& run_directory) {
  const std::filesystem::path path = newest_path(run_directory);
  const Snapshot snapshot{path, read_manifest(PosixFileLayer(), path)};
  Saved saved;
  saved.step = snapshot.manifest.step;
  saved.world_size = snapshot.manifest.world_size;
  saved.trainer = load_trainer(snapshot);
  if (!snapshot.manifest.banks.empty()) saved.bank = snapshot.manifest.banks.front();
  for (const SavedBank& bank : snapshot.manifest.banks) {
    BankReader reader(path, bank, 1 << 16, BankReader::Learned::kRead);
    saved.further_keys.push_back(reader.read({reader.layout().floor(), reader.layout().head()}));
  }
  if (saved.bank) {
    saved.keys = saved.further_keys.front();
    saved.further_keys.erase(saved.further_keys.begin());
  }
  return saved;
}

std::string refusal_of(const PretrainOptions& options) {
  try {
    options.validate(1);
    load_pretrain_data(options, resolve_contrast(options));
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<double> step_losses(const std::filesystem::path& run_directory) {
  std::vector<double> losses;
  for (const nlohmann::json& line : metrics_lines(run_directory, "step")) losses.push_back(line.at("loss"));
  return losses;
}

std::vector<nlohmann::json> metrics_lines(const std::filesystem::path& run_directory, const std::string& event) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(run_directory / "metrics.jsonl");
  for (std::string text; std::getline(file, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    if (!event.empty() && line.value("event", "step") != event) continue;
    nlohmann::json without_clocks = nlohmann::json::object();
    for (const auto& [name, value] : line.items()) {
      const bool is_clock = name == "images_per_second" || name == "seconds" || name == "time";
      if (!is_clock && !name.starts_with("step_ms.")) without_clocks[name] = value;
    }
    lines.push_back(std::move(without_clocks));
  }
  return lines;
}

}  // namespace negatron::testing
