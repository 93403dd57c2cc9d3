#include "tests/runtime/run/device_run.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/negative_samplers/registry.h"
#include "samplers/objectives/registry.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

/// What of a line of metrics counts bytes by collective.
nlohmann::json traffic_of(const nlohmann::json& line) {
  nlohmann::json traffic;
  for (const auto& [name, value] : line.items()) {
    if (name.starts_with("bytes.")) traffic[name] = value;
  }
  EXPECT_FALSE(traffic.empty());
  return traffic;
}

/// Of losses, as a share. BYOL multiplies what was rounding in its first two steps by ten thousand in the next four.
double apart_by(const PretrainOptions& options, std::size_t step) {
  return options.objective == "byol" && step >= 2 ? 1e-2 : 2e-3;
}

}  // namespace

PretrainOptions watched_options(const std::string& objective) {
  PretrainOptions options = small_options(objective);
  options.max_steps = 6;
  options.telemetry_every = 2;
  options.telemetry_top = 5;
  options.allow_oracle = true;
  // Types come with the data.
  options.sample_types = "given";
  options.sample_counts = "given";
  options.evaluate_queries = 20;
  return options;
}

std::vector<nlohmann::json> expect_the_same_run(const DeviceRun& there, const PretrainOptions& options) {
  const std::string what = options.objective + ", " + options.sampler;
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = options;
  start.ranks = there.ranks;
  const at::Tensor samples = at::arange(50, at::kLong);
  start.data = {rectangles(), rectangles(), {samples.remainder(3), samples.remainder(4)}};
  start.run_directory = folder / "host";
  try {
    run(start);
  } catch (const std::invalid_argument&) {
    return {};
  }
  const auto expected = metrics_lines(start.run_directory, "step");
  start.run_directory = folder / "device";
  start.device = there.device;
  start.communicator = there.communicator;
  try {
    run(start);
  } catch (const std::exception& error) {
    ADD_FAILURE() << what << ": " << error.what();
    return {};
  }
  const auto actual = metrics_lines(start.run_directory, "step");
  EXPECT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t step = 0; step < std::min(actual.size(), expected.size()); ++step) {
    const auto loss = expected[step].at("loss").get<double>();
    EXPECT_NEAR(actual[step].at("loss").get<double>(), loss, apart_by(options, step) * std::abs(loss))
        << what << ", step " << step;
    EXPECT_EQ(traffic_of(actual[step]), traffic_of(expected[step])) << what << ", step " << step;
    EXPECT_EQ(expected[step].at("staged_bytes"), 0) << what << ", step " << step;
  }
  return metrics_lines(start.run_directory);
}

void expect_the_same_objectives(const DeviceRun& there) {
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    EXPECT_FALSE(expect_the_same_run(there, watched_options(objective.name)).empty()) << objective.name;
  }
}

void expect_the_same_samplers(const DeviceRun& there) {
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    bool ran = false;
    for (const char* objective : {"info-nce", "supcon"}) {
      PretrainOptions options = watched_options(objective);
      const auto& needs = sampler.needs;
      if (std::find(needs.begin(), needs.end(), Need::kOwnRows) != needs.end()) {
        options = with_memory(options);
        options.bank_fill = BankFill::kFeatures;
      } else if (std::find(needs.begin(), needs.end(), Need::kIndex) != needs.end()) {
        options = with_index(options);
      }
      options.sampler = sampler.name;
      ran = !expect_the_same_run(there, options).empty() || ran;
    }
    EXPECT_TRUE(ran) << sampler.name << " ran with neither objective";
  }
}

void expect_the_same_bits_after_a_stop(const DeviceRun& there, const PretrainOptions& options) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = options;
  start.ranks = there.ranks;
  start.device = there.device;
  start.communicator = there.communicator;
  start.run_directory = folder / "whole";
  run(start);
  const Saved whole = newest_saved(start.run_directory);
  start.run_directory = folder / "parts";
  start.options.max_steps = options.max_steps / 2;
  run(start);
  start.options.max_steps = options.max_steps;
  start.resume = "auto";
  run(start);
  const Saved parts = newest_saved(start.run_directory);
  ASSERT_EQ(parts.step, whole.step);
  ASSERT_EQ(parts.trainer.tensors.size(), whole.trainer.tensors.size());
  for (std::size_t i = 0; i < parts.trainer.tensors.size(); ++i) {
    const auto& [name, tensor] = whole.trainer.tensors[i];
    EXPECT_TRUE(at::equal(parts.trainer.tensors[i].second, tensor)) << name;
  }
  EXPECT_TRUE(at::equal(parts.keys.vectors, whole.keys.vectors));
}

void expect_the_same_with_views_made_there(const DeviceRun& there) {
  PretrainOptions options = watched_options("info-nce");
  options.views_on_device = true;
  EXPECT_FALSE(expect_the_same_run(there, options).empty());
  options.sample_types = "";
  options.sample_counts = "";
  options.max_steps = 16;
  expect_the_same_bits_after_a_stop(there, options);
}

}  // namespace negatron::testing
