// The extension module negatron._core: the classes of this folder with errors as Python's exceptions, and without the
// interpreter's lock wherever ranks meet or rows are scored. What users call is in negatron/*.py, and checks nothing
// that is checked here.

#include <torch/extension.h>

#include <optional>
#include <string>

#include "comm/error.h"
#include "comm/roll_call/interruption.h"
#include "launch/python/method_data.h"
#include "launch/python/python_bank.h"
#include "launch/python/python_group.h"
#include "launch/python/python_loss.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron::python {
namespace {

namespace py = pybind11;
using NoLock = py::call_guard<py::gil_scoped_release>;
using MaybeTensor = std::optional<at::Tensor>;

// Set while a wait is given up because of a signal, whose exception then takes the place of the wait's.
PyObject* pending_type = nullptr;
PyObject* pending_value = nullptr;
PyObject* pending_trace = nullptr;

/// Lets Python look at its signals in the middle of a wait, as it does between two lines of a program.
bool python_is_interrupted() {
  if (Py_IsInitialized() == 0) return false;
  const py::gil_scoped_acquire lock;
  if (PyErr_CheckSignals() == 0) return false;
  PyErr_Fetch(&pending_type, &pending_value, &pending_trace);
  return true;
}

CommunicatorOptions communicator_options(double time_limit, bool check) {
  CommunicatorOptions options;
  const std::chrono::duration<double> longest = kLongestTimeLimit;
  if (!(time_limit > 0.0)) throw std::invalid_argument("time_limit must be a number of seconds above 0");
  options.time_limit = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::min(std::chrono::duration<double>(time_limit), longest));
  options.check = check;
  return options;
}

at::Tensor or_undefined(const MaybeTensor& tensor) {
  return tensor.value_or(at::Tensor());
}

/// Classes of errors, each beside the builtin that says the same.
void add_errors(py::module_& module) {
  static py::exception<CommError> comm(module, "CommError", PyExc_RuntimeError);
  const auto both = [&](const py::object& first, PyObject* second) {
    return py::make_tuple(first, py::reinterpret_borrow<py::object>(second));
  };
  static py::exception<TimeoutError> timeout(module, "TimeoutError", both(comm, PyExc_TimeoutError));
  static py::exception<DisagreementError> disagreement(module, "DisagreementError", both(comm, PyExc_ValueError));
  static py::exception<BrokenGroupError> broken(module, "BrokenGroupError", comm);
  static py::exception<SnapshotError> snapshot(module, "SnapshotError", PyExc_RuntimeError);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const TimeoutError& error) {
      if (pending_type != nullptr) {
        PyErr_Restore(pending_type, pending_value, pending_trace);
        pending_type = pending_value = pending_trace = nullptr;
        return;
      }
      py::set_error(timeout, error.what());
    } catch (const DisagreementError& error) {
      py::set_error(disagreement, error.what());
    } catch (const BrokenGroupError& error) {
      py::set_error(broken, error.what());
    } catch (const CommError& error) {
      py::set_error(comm, error.what());
    } catch (const SnapshotError& error) {
      py::set_error(snapshot, error.what());
    } catch (const Refusal& error) {
      py::set_error(PyExc_ValueError, error.what());
    }
  });
}

void add_groups(py::module_& module) {
  py::class_<Group, std::shared_ptr<Group>>(module, "Group")
      .def_property_readonly("rank", &Group::rank)
      .def_property_readonly("size", &Group::size)
      .def_property_readonly("transport", &Group::transport)
      .def(
          "barrier", [](Group& group) { group.use().comm().barrier(); }, NoLock());
  const auto time_limit = py::arg("time_limit");
  const auto check = py::arg("check");
  module.def(
      "mpi_group", [](double limit, bool checked) { return mpi_group(communicator_options(limit, checked)); },
      time_limit, check, NoLock());
  module.def(
      "torch_group",
      [](const std::string& name, double limit, bool checked) {
        return torch_group(name, communicator_options(limit, checked));
      },
      py::arg("group_name"), time_limit, check, NoLock());
  module.def(
      "lone_group", [](double limit, bool checked) { return lone_group(communicator_options(limit, checked)); },
      time_limit, check, NoLock());
  module.def("close_groups", &close_groups, py::arg("succeeded"), NoLock());
}

BankFill fill_of(const std::string& name) {
  if (name == "random") return BankFill::kRandom;
  if (name == "empty") return BankFill::kEmpty;
  throw std::invalid_argument("fill is 'random' or 'empty', not '" + name + "'");
}

void add_bank(py::module_& module) {
  py::class_<BankOptions>(module, "BankOptions")
      .def(py::init<>())
      .def_readwrite("rows", &BankOptions::rows)
      .def_readwrite("width", &BankOptions::width)
      .def_readwrite("seed", &BankOptions::seed)
      .def_readwrite("global_batch", &BankOptions::global_batch)
      .def("set_dtype", [](BankOptions& options, at::ScalarType dtype) { options.dtype = dtype; })
      .def("set_device", [](BankOptions& options, at::Device device) { options.device = device; })
      .def("set_fill", [](BankOptions& options, const std::string& name) { options.fill = fill_of(name); });
  py::class_<ProgramBank, std::shared_ptr<ProgramBank>>(module, "Bank")
      .def(py::init<std::shared_ptr<Group>, const BankOptions&>(), py::arg("group"), py::arg("options"), NoLock())
      .def_static(
          "load",
          [](std::shared_ptr<Group> group, const std::string& path, at::Device device,
             std::optional<at::ScalarType> dtype) {
            return ProgramBank::load(std::move(group), path, device, dtype.value_or(at::ScalarType::Undefined));
          },
          py::arg("group"), py::arg("path"), py::arg("device"), py::arg("dtype"), NoLock())
      .def(
          "enqueue",
          [](ProgramBank& bank, const at::Tensor& keys, const MaybeTensor& ids, const MaybeTensor& labels) {
            bank.enqueue(keys, or_undefined(ids), or_undefined(labels));
          },
          py::arg("keys"), py::arg("ids"), py::arg("labels"), NoLock())
      .def(
          "hardest",
          [](ProgramBank& bank, const at::Tensor& queries, std::int64_t count) {
            const HardestRows found = bank.hardest(queries, count);
            return std::make_tuple(found.scores, found.slots, found.ids);
          },
          py::arg("queries"), py::arg("count"), NoLock())
      .def("save", &ProgramBank::save, py::arg("path"), NoLock())
      .def_property_readonly("step", &ProgramBank::step)
      .def_property_readonly("rows", [](const ProgramBank& bank) { return bank.bank().capacity(); })
      .def_property_readonly("width", [](const ProgramBank& bank) { return bank.bank().width(); })
      .def_property_readonly("filled", [](const ProgramBank& bank) { return bank.bank().filled(); })
      .def("vectors", [](const ProgramBank& bank) { return bank.bank().shard().rows.vectors; })
      .def("ids", [](const ProgramBank& bank) { return bank.bank().shard().ids; })
      .def("labels", [](const ProgramBank& bank) { return bank.bank().shard().rows.labels; })
      .def("steps", [](const ProgramBank& bank) { return bank.bank().shard().steps; })
      .def("slots", [](const ProgramBank& bank) { return bank.bank().shard().rows.slots; });
}

NegativeSource source_of(const std::string& name) {
  for (const NegativeSource source :
       {NegativeSource::kBank, NegativeSource::kBatch, NegativeSource::kBankAndBatch, NegativeSource::kNone}) {
    if (name == name_of(source)) return source;
  }
  throw std::invalid_argument("negatives is 'bank', 'batch', 'bank-and-batch' or 'none', not '" + name + "'");
}

void add_loss_options(py::module_& module) {
  py::class_<PretrainOptions>(module, "LossOptions")
      .def(py::init<>())
      .def_readwrite("objective", &PretrainOptions::objective)
      .def_readwrite("objective_options", &PretrainOptions::objective_options)
      .def_readwrite("sampler", &PretrainOptions::sampler)
      .def_readwrite("sampler_options", &PretrainOptions::sampler_options)
      .def_readwrite("tau", &PretrainOptions::tau)
      .def_readwrite("learn_tau", &PretrainOptions::learn_tau)
      .def_readwrite("seed", &PretrainOptions::seed)
      .def_readwrite("mask_own_sample", &PretrainOptions::mask_own_sample)
      .def_readwrite("max_age", &PretrainOptions::max_key_age)
      .def_readwrite("allow_oracle", &PretrainOptions::allow_oracle)
      .def("set_negatives",
           [](PretrainOptions& options, const std::string& name) { options.negatives = source_of(name); });
}

std::shared_ptr<ProgramLoss> make_program_loss(std::shared_ptr<Group> group, std::shared_ptr<ProgramBank> bank,
                                               PretrainOptions options,
                                               const std::pair<MaybeTensor, MaybeTensor>& types_and_counts,
                                               std::int64_t steps_per_epoch, const std::string& reduction) {
  const SampleFacts facts{or_undefined(types_and_counts.first), or_undefined(types_and_counts.second)};
  // What a run reads from a file is here already; that there is one is what samplers ask.
  if (facts.types.defined()) options.sample_types = "sample_types";
  if (facts.counts.defined()) options.sample_counts = "sample_counts";
  return std::make_shared<ProgramLoss>(std::move(group), std::move(bank), options, facts, steps_per_epoch, reduction);
}

void add_loss(py::module_& module) {
  py::class_<LossInput>(module, "LossInput")
      .def(py::init([](const at::Tensor& queries, const at::Tensor& keys, const MaybeTensor& ids,
                       const MaybeTensor& labels) {
             return LossInput{queries, keys, or_undefined(ids), or_undefined(labels)};
           }),
           py::arg("queries"), py::arg("keys"), py::arg("ids"), py::arg("labels"))
      .def_readwrite("queries_take_gradient", &LossInput::queries_take_gradient)
      .def_readwrite("keys_take_gradient", &LossInput::keys_take_gradient)
      .def_readwrite("trains", &LossInput::trains)
      .def_readwrite("epoch", &LossInput::epoch)
      .def_readwrite("progress", &LossInput::progress);
  py::class_<ProgramLoss, std::shared_ptr<ProgramLoss>>(module, "Loss")
      .def(py::init(&make_program_loss), py::arg("group"), py::arg("bank"), py::arg("options"),
           py::arg("types_and_counts"), py::arg("steps_per_epoch"), py::arg("reduction"), NoLock())
      .def(
          "step",
          [](ProgramLoss& loss, const LossInput& input) {
            LossOutput out = loss.step(input);
            return std::make_tuple(out.value, out.query_gradient, out.key_gradient, out.parameter_gradients);
          },
          py::arg("input"), NoLock())
      .def("metrics", &ProgramLoss::metrics)
      .def("parameters", &ProgramLoss::parameters)
      .def("state",
           [](const ProgramLoss& loss) {
             NamedState state = loss.state();
             for (auto& [name, tensor] : state.tensors) tensor = tensor.clone();
             return std::make_tuple(state.tensors, state.text, state.numbers);
           })
      .def(
          "restore",
          [](ProgramLoss& loss, std::vector<std::pair<std::string, at::Tensor>> tensors,
             std::map<std::string, std::string> text,
             std::map<std::string, std::variant<std::int64_t, double>> numbers) {
            loss.restore({std::move(tensors), std::move(text), std::move(numbers)});
          },
          py::arg("tensors"), py::arg("text"), py::arg("numbers"));
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  add_errors(module);
  add_groups(module);
  add_bank(module);
  add_loss_options(module);
  add_loss(module);
  module.def("samplers", &sampler_data);
  module.def("objectives", &objective_data);
  module.attr("torch_version") = TORCH_VERSION;
  set_interruption_check(&python_is_interrupted);
}

}  // namespace negatron::python
