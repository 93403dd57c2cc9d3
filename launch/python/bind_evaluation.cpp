#include <tuple>
#include <utility>
#include <vector>

#include "launch/python/bindings.h"
#include "launch/python/evaluate_rows.h"

namespace negatron::python {

void bind_evaluation(py::module_& module) {
  py::class_<LabelledFeatures>(module, "LabelledFeatures")
      .def(py::init<at::Tensor, at::Tensor, at::Tensor, at::Tensor>(), py::arg("train"), py::arg("train_labels"),
           py::arg("test"), py::arg("test_labels"));
  py::class_<LinearProbeOptions>(module, "LinearProbeOptions")
      .def(py::init<>())
      .def_readwrite("l2", &LinearProbeOptions::l2)
      .def_readwrite("validation_share", &LinearProbeOptions::validation_share)
      .def_readwrite("classes", &LinearProbeOptions::classes)
      .def_readwrite("most_iterations", &LinearProbeOptions::most_iterations)
      .def_readwrite("tolerance", &LinearProbeOptions::tolerance);
  module.def(
      "knn",
      [](const std::shared_ptr<Group>& group, const LabelledFeatures& features, std::int64_t k, double tau,
         std::int64_t classes) {
        KnnOptions options;
        options.k = k;
        options.temperature = tau;
        options.classes = classes;
        const KnnResult result = knn_of_features(group, features, options);
        return std::make_tuple(result.accuracy, result.predictions, result.votes);
      },
      py::arg("group"), py::arg("features"), py::arg("k"), py::arg("tau"), py::arg("classes"), NoLock());
  module.def(
      "linear_probe",
      [](const std::shared_ptr<Group>& group, const LabelledFeatures& features, const LinearProbeOptions& options) {
        const LinearProbeResult result = probe_of_features(group, features, options);
        return std::make_tuple(result.accuracy, result.l2, result.validation, result.weights);
      },
      py::arg("group"), py::arg("features"), py::arg("options"), NoLock());
}

}  // namespace negatron::python
