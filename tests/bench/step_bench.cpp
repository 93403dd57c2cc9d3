// How fast the encoders alone are: query forward, key forward without gradient, backward, follow; no data, no bank.
//   step_bench [channels, as 64,128,256] [strides, as 2,2,2] [fp32|bf16|fp64] [threads] [batch] [repeats]
//   step_bench [resnet18|resnet34|resnet50] [imagenet|cifar] [fp32|bf16|fp64] [threads] [batch] [repeats]
// Prints the best and the median rate in images (not views) per second, and the least processor time of a step over all
// threads, which other programs on the machine disturb less.

#include <chrono>
#include <ctime>
#include <iostream>
#include <limits>
#include <sstream>

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/initialization.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/encoders/precision.h"

namespace {

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) values.push_back(std::stoll(part));
  return values;
}

negatron::BackboneOptions backbone_options(const std::string& first, const std::string& second) {
  negatron::BackboneOptions options;
  if (first.starts_with("resnet")) {
    options.name = first;
    options.stem = second;
  } else {
    options.channels = numbers(first);
    options.strides = numbers(second);
  }
  options.validate();
  return options;
}

negatron::Precision precision_of(const std::string& name) {
  using negatron::Precision;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp64}) {
    if (name == negatron::name_of(precision)) return precision;
  }
  return negatron::choose_precision(std::nullopt, at::kCPU);
}

void measure(negatron::Communicator& comm, int argc, char** argv) {
  using namespace negatron;
  const auto argument = [argc, argv](int index, const char* otherwise) {
    return std::string(index < argc ? argv[index] : otherwise);
  };
  const std::string first = argument(1, "64,128,256");
  const std::string second = argument(2, first.starts_with("resnet") ? "cifar" : "2,2,2");
  const BackboneOptions options = backbone_options(first, second);
  const Precision precision = precision_of(argument(3, "auto"));
  at::set_num_threads(std::stoi(argument(4, "2")));
  const std::int64_t batch = std::stoll(argument(5, "256"));
  const int repeats = std::stoi(argument(6, "20"));

  auto query = std::make_shared<ContrastiveEncoder>(make_backbone(options, 1, &comm), ProjectionHeadOptions{});
  initialize(*query, 0);
  query->to(parameter_dtype(precision));
  MomentumEncoder key(query);
  const at::Tensor view_a = at::rand({batch, 1, 28, 28}, parameter_dtype(precision));
  const at::Tensor view_b = at::rand({batch, 1, 28, 28}, parameter_dtype(precision));

  std::vector<double> rates;
  double least_seconds = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t clock_begin = std::clock();
    at::Tensor queries;
    at::Tensor keys;
    {
      const PrecisionGuard guard(precision, at::kCPU);
      queries = query->forward(view_a);
      keys = key.forward(view_b);
    }
    query->zero_grad();
    (queries * keys).sum().backward();
    key.follow(0.99);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    least_seconds = std::min(least_seconds, static_cast<double>(std::clock() - clock_begin) / CLOCKS_PER_SEC);
    rates.push_back(static_cast<double>(batch) / elapsed.count());
  }
  std::sort(rates.begin(), rates.end());
  std::cout << first << " " << second << ", " << name_of(precision) << ", " << at::get_num_threads()
            << " threads, batch " << batch << ": best " << rates.back() << ", median " << rates[rates.size() / 2]
            << " images/s, " << 1000.0 * least_seconds << " ms of processor a step\n";
}

}  // namespace

int main(int argc, char** argv) {
  negatron::run_ranks(1, {}, [&](negatron::Communicator& comm) { measure(comm, argc, argv); });
  return 0;
}
