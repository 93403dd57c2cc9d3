#include "launch/python/bindings.h"
#include "launch/python/python_bank.h"
#include "runtime/snapshots/bank_file.h"

namespace negatron::python {
namespace {

BankFill fill_of(const std::string& name) {
  if (name == "random") return BankFill::kRandom;
  if (name == "empty") return BankFill::kEmpty;
  throw std::invalid_argument("fill is 'random' or 'empty', not '" + name + "'");
}

}  // namespace

void bind_bank(py::module_& module) {
  py::class_<BankOptions>(module, "BankOptions")
      .def(py::init<>())
      .def_readwrite("rows", &BankOptions::rows)
      .def_readwrite("width", &BankOptions::width)
      .def_readwrite("seed", &BankOptions::seed)
      .def_readwrite("global_batch", &BankOptions::global_batch)
      .def("set_dtype", [](BankOptions& options, at::ScalarType dtype) { options.dtype = dtype; })
      .def("set_device", [](BankOptions& options, at::Device device) { options.device = device; })
      .def("set_fill", [](BankOptions& options, const std::string& name) { options.fill = fill_of(name); })
      .def("set_kind", [](BankOptions& options, const std::string& name) { options.kind = kind_of_text(name); })
      .def("set_length", [](BankOptions& options, const std::string& name) { options.length = length_of_text(name); })
      .def("set_row_optimizer",
           [](BankOptions& options, const std::string& name) { options.row_optimizer = row_optimizer_of_text(name); });
  // What waits in autograd's graph for backward.
  py::class_<GradientOfRows>(module, "RowGradient");
  py::class_<ProgramBank, std::shared_ptr<ProgramBank>>(module, "Bank")
      .def(py::init<std::shared_ptr<Group>, const BankOptions&>(), py::arg("group"), py::arg("options"), NoLock())
      .def_static(
          "load",
          [](std::shared_ptr<Group> group, const std::string& path, const std::string& name, at::Device device,
             std::optional<at::ScalarType> dtype) {
            return ProgramBank::load(std::move(group), path, name, device, dtype.value_or(at::ScalarType::Undefined));
          },
          py::arg("group"), py::arg("path"), py::arg("name"), py::arg("device"), py::arg("dtype"), NoLock())
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
      .def("fetch", &ProgramBank::fetch, py::arg("ids"), NoLock())
      .def(
          "blend",
          [](ProgramBank& bank, const at::Tensor& ids, const at::Tensor& features, const MaybeTensor& labels,
             double momentum) { bank.blend(ids, features, or_undefined(labels), momentum); },
          py::arg("ids"), py::arg("features"), py::arg("labels"), py::arg("momentum"), NoLock())
      .def(
          "write",
          [](ProgramBank& bank, const at::Tensor& ids, const at::Tensor& features, const MaybeTensor& labels) {
            bank.write(ids, features, or_undefined(labels));
          },
          py::arg("ids"), py::arg("features"), py::arg("labels"), NoLock())
      .def("add_gradient", &ProgramBank::add_gradient, py::arg("gradient"), py::arg("factor"), NoLock())
      .def("gradient",
           [](const ProgramBank& bank) {
             const at::Tensor gradient = bank.gradient();
             return gradient.defined() ? MaybeTensor(gradient) : std::nullopt;
           })
      .def("drop_gradient", &ProgramBank::drop_gradient)
      .def(
          "step_rows",
          [](ProgramBank& bank, double lr, double momentum, double weight_decay, double grad_scale) {
            RowOptimizer optimizer;
            optimizer.rate = lr;
            optimizer.momentum = momentum;
            optimizer.weight_decay = weight_decay;
            optimizer.kind = bank.bank().options().row_optimizer;
            optimizer.raises = bank.bank().kind() == BankKind::kLearned;
            bank.step_rows(optimizer, grad_scale);
          },
          py::arg("lr"), py::arg("momentum"), py::arg("weight_decay"), py::arg("grad_scale"), NoLock())
      .def_property_readonly("kind", [](const ProgramBank& bank) { return kind_text(bank.bank().kind()); })
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

}  // namespace negatron::python
