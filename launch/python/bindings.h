#pragma once

#include <torch/csrc/utils/pybind.h>

#include <optional>

#include "launch/python/program_end.h"

namespace negatron::python {

namespace py = pybind11;
/// Of everything that meets other ranks, scores rows or reads files.
using NoLock = py::call_guard<WithoutLock>;
using MaybeTensor = std::optional<at::Tensor>;

inline at::Tensor or_undefined(const MaybeTensor& tensor) {
  return tensor.value_or(at::Tensor());
}

// What module.cpp puts together, each in the file of its name.
void bind_bank(py::module_& module);
void bind_evaluation(py::module_& module);
void bind_files(py::module_& module);
void bind_loss(py::module_& module);

}  // namespace negatron::python
