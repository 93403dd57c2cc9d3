#pragma once

#include <string>
#include <vector>

#include "tests/samplers/contrast/contrast_job.h"

namespace negatron::testing {

/// A job over random raw vectors with labels of three classes, and over a bank with holes where the source has one.
/// Options without effect on how a loss works are left at their defaults.
struct Trial {
  std::string name;
  ContrastJob job;
};

/// Every objective of the registry over every source that it allows, plus the variants of its options that take another
/// way through the code. A new objective is in here as soon as it is in the registry.
std::vector<Trial> all_trials(at::ScalarType type);
/// The same with raw vectors and bank rows, of lengths 0.1 to 5, for each objective that takes them.
std::vector<Trial> raw_trials(at::ScalarType type);

/// What a loss holds fixed by definition is not in its gradient, and central differences would see it.
bool holds_something_fixed(const ContrastJob& job);

}  // namespace negatron::testing
