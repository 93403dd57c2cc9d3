// The extension module negatron._core: the classes of this folder with errors as Python's exceptions, and without the
// interpreter's lock wherever ranks meet or rows are scored. What users call is in negatron/*.py, and checks nothing
// that is checked here.

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include <torch/version.h>

#include "comm/error.h"
#include "comm/roll_call/interruption.h"
#include "launch/python/batch_record.h"
#include "launch/python/bindings.h"
#include "launch/python/made_together.h"
#include "launch/python/method_data.h"
#include "launch/python/python_group.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron::python {
namespace {

// Set while a wait is given up because of a signal, whose exception then takes the place of the wait's.
PyObject* pending_type = nullptr;
PyObject* pending_value = nullptr;
PyObject* pending_trace = nullptr;

/// Lets Python look at its signals in the middle of a wait, as it does between two lines of a program.
bool python_is_interrupted() {
  if (ends_without_this_thread()) return true;
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

/// An exception of Python. Names of files in a message are bytes, which need not be UTF-8.
void raise_as(PyObject* type, const char* what) {
  const auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(what, static_cast<Py_ssize_t>(std::strlen(what)), "backslashreplace"));
  PyErr_SetObject(type, text.ptr());
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
      raise_as(timeout.ptr(), error.what());
    } catch (const DisagreementError& error) {
      raise_as(disagreement.ptr(), error.what());
    } catch (const BrokenGroupError& error) {
      raise_as(broken.ptr(), error.what());
    } catch (const CommError& error) {
      raise_as(comm.ptr(), error.what());
    } catch (const SnapshotError& error) {
      raise_as(snapshot.ptr(), error.what());
    } catch (const Refusal& error) {
      raise_as(PyExc_ValueError, error.what());
    } catch (const std::invalid_argument& error) {
      raise_as(PyExc_ValueError, error.what());
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
  module.def(
      "nccl_group",
      [](Group& over, int device, double limit, bool checked) {
        return nccl_group(over, device, communicator_options(limit, checked));
      },
      py::arg("over"), py::arg("device"), time_limit, check, NoLock());
  module.def(
      "close_groups", [] { close_groups(0); }, NoLock());
  module.def("close_groups_at_exit", &close_groups_at_exit, NoLock());
  module.def("begin_program_end", &begin_program_end);
}

/// What Python finds wrong with arguments, a type for example, on one rank: the others, which are in a call, hear of it
/// in the place of that call's first message. Each throws.
void add_refusals(py::module_& module) {
  const auto group = py::arg("group");
  module.def(
      "refuse_call",
      [](Group& of, const std::string& call, const std::string& problem) {
        BatchRecord record;
        record.call = call_of(call);
        agree_on_batch(of.use().comm(), record, problem);
      },
      group, py::arg("call"), py::arg("problem"), NoLock());
  module.def(
      "refuse_together",
      [](Group& of, const std::string& problem) {
        made_together(of.use().comm(), [&]() -> int { throw std::invalid_argument(problem); });
      },
      group, py::arg("problem"), NoLock());
  // Passes where all ranks made the same mistake.
  module.def(
      "agree", [](Group& of, const std::string& what, const std::string& value) { of.use().comm().agree(what, value); },
      group, py::arg("what"), py::arg("value"), NoLock());
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  add_errors(module);
  add_groups(module);
  add_refusals(module);
  bind_bank(module);
  bind_loss(module);
  bind_files(module);
  bind_evaluation(module);
  module.def("samplers", &sampler_data);
  module.def("objectives", &objective_data);
  module.attr("torch_version") = TORCH_VERSION;
  set_interruption_check(&python_is_interrupted);
}

}  // namespace negatron::python
