// reference_cases FILE [-P ranks]: computes every case of a file of reference values with the code that training runs,
// over so many ranks in this process, in fp64, and compares. A line for each value: NAME KEY max_relative_error
// VERDICT. Ends 0 when all agree, 1 when one does not, 2 for bad usage or a file that cannot be read, 3 when a case or
// a value is unknown and all others agree.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/reference_cases/cases.h"
#include "tests/reference_cases/comparison.h"

namespace {

using negatron::reference::Computed;
using negatron::reference::ReferenceCase;

constexpr int kAgrees = 0;
constexpr int kDiffers = 1;
constexpr int kBadUsage = 2;
constexpr int kUnknown = 3;
constexpr int kMostRanks = 64;

constexpr Computed (*kTopics[])(const ReferenceCase&, int) = {
    negatron::reference::draw_case,   negatron::reference::adversary_case, negatron::reference::sample_case,
    negatron::reference::shard_case,  negatron::reference::estimator_case, negatron::reference::selection_case,
    negatron::reference::mix_case,    negatron::reference::label_case,     negatron::reference::in_batch_case,
    negatron::reference::margin_case, negatron::reference::logistic_case,  negatron::reference::softmax_case,
    negatron::reference::row_case,    negatron::reference::metrics_case,
};

Computed compute(const ReferenceCase& reference, int ranks) {
  for (const auto& topic : kTopics) {
    if (Computed values = topic(reference, ranks)) return values;
  }
  return {};
}

int check(const ReferenceCase& reference, int ranks) {
  const Computed computed = compute(reference, ranks);
  int verdict = kAgrees;
  for (const auto& [key, expected] : reference.expected.items()) {
    if (!computed || !computed->contains(key)) {
      std::printf("%s %s - unknown\n", reference.name.c_str(), key.c_str());
      if (verdict == kAgrees) verdict = kUnknown;
      continue;
    }
    const double error = negatron::reference::relative_error(computed->at(key), expected);
    const bool agrees = error <= negatron::reference::kTolerance;
    std::printf("%s %s %.3g %s\n", reference.name.c_str(), key.c_str(), error, agrees ? "ok" : "FAIL");
    if (!agrees) verdict = kDiffers;
  }
  return verdict;
}

int usage() {
  std::fprintf(stderr, "usage: reference_cases FILE [-P ranks], with 1 to %d ranks\n", kMostRanks);
  return kBadUsage;
}

}  // namespace

int main(int count, char** arguments) {
  std::string path;
  int ranks = 1;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "-P" && i + 1 < count) {
      ranks = std::atoi(arguments[++i]);
    } else if (path.empty() && argument[0] != '-') {
      path = argument;
    } else {
      return usage();
    }
  }
  if (path.empty() || ranks < 1 || ranks > kMostRanks) return usage();

  try {
    int verdict = kAgrees;
    for (const ReferenceCase& reference : negatron::reference::read_cases(path)) {
      int of_case = kDiffers;
      try {
        of_case = check(reference, ranks);
      } catch (const std::exception& error) {
        std::printf("%s - inf FAIL (%s)\n", reference.name.c_str(), error.what());
      }
      if (of_case == kDiffers || verdict == kAgrees) verdict = of_case;
    }
    return verdict;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference_cases: %s\n", error.what());
    return kBadUsage;
  }
}
