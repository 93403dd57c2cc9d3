#pragma once

#include <torch/csrc/utils/pybind.h>

namespace negatron::python {

/// A dict for each sampler and objective of the registries: its name, source, summary, options with their defaults,
/// bounds and choices, and what it needs. Local.
pybind11::list sampler_data();
pybind11::list objective_data();

}  // namespace negatron::python
