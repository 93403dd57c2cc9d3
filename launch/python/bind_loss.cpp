#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "launch/python/bindings.h"
#include "launch/python/python_loss.h"

namespace negatron::python {
namespace {

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
      .def_readwrite("rows_tau", &PretrainOptions::rows_tau)
      .def_readwrite("allow_oracle", &PretrainOptions::allow_oracle)
      .def("set_negatives",
           [](PretrainOptions& options, const std::string& name) { options.negatives = source_of(name); });
}

std::shared_ptr<ProgramLoss> make_program_loss(std::shared_ptr<Group> group, std::shared_ptr<ProgramBank> bank,
                                               PretrainOptions options, const SampleFacts& facts,
                                               std::int64_t steps_per_epoch, const std::string& reduction) {
  // What a run reads from a file is here already; that there is one is what samplers ask.
  if (facts.types.defined()) options.sample_types = "sample_types";
  if (facts.counts.defined()) options.sample_counts = "sample_counts";
  return std::make_shared<ProgramLoss>(std::move(group), std::move(bank), options, facts, steps_per_epoch, reduction);
}

}  // namespace

void bind_loss(py::module_& module) {
  add_loss_options(module);
  py::class_<SampleFacts>(module, "SampleFacts")
      .def(py::init([](const MaybeTensor& types, const MaybeTensor& counts) {
             return SampleFacts{or_undefined(types), or_undefined(counts)};
           }),
           py::arg("types"), py::arg("counts"));
  py::class_<LossInput>(module, "LossInput")
      .def(py::init([](const at::Tensor& queries, const MaybeTensor& keys, const MaybeTensor& ids,
                       const MaybeTensor& labels) {
             return LossInput{queries, or_undefined(keys), or_undefined(ids), or_undefined(labels)};
           }),
           py::arg("queries"), py::arg("keys"), py::arg("ids"), py::arg("labels"))
      .def_readwrite("queries_take_gradient", &LossInput::queries_take_gradient)
      .def_readwrite("keys_take_gradient", &LossInput::keys_take_gradient)
      .def_readwrite("trains", &LossInput::trains)
      .def_readwrite("epoch", &LossInput::epoch)
      .def_readwrite("progress", &LossInput::progress);
  py::class_<ProgramLoss, std::shared_ptr<ProgramLoss>>(module, "Loss")
      .def(py::init(&make_program_loss), py::arg("group"), py::arg("bank"), py::arg("options"), py::arg("facts"),
           py::arg("steps_per_epoch"), py::arg("reduction"), NoLock())
      .def(
          "step",
          [](ProgramLoss& loss, const LossInput& input) {
            LossOutput out = loss.step(input);
            std::optional<GradientOfRows> of_rows;
            if (out.row_gradient.values.defined()) of_rows = std::move(out.row_gradient);
            return std::make_tuple(out.value, out.query_gradient, out.key_gradient, out.parameter_gradients, of_rows);
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

}  // namespace negatron::python
