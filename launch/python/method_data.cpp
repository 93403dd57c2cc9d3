#include "launch/python/method_data.h"

#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "samplers/negative_samplers/registry.h"
#include "samplers/objectives/registry.h"

namespace negatron::python {
namespace {

namespace py = pybind11;

/// None for a number without a bound.
py::object bound(double value) {
  return std::isfinite(value) ? py::object(py::float_(value)) : py::object(py::none());
}

py::list option_data(const std::vector<MethodOption>& options) {
  py::list list;
  for (const MethodOption& option : options) {
    py::dict data;
    data["name"] = option.name;
    data["default"] = std::visit([](const auto& value) { return py::cast(value); }, option.default_value);
    data["help"] = option.help;
    data["minimum"] = bound(option.minimum);
    data["maximum"] = bound(option.maximum);
    data["choices"] = option.choices;
    list.append(data);
  }
  return list;
}

/// What samplers and objectives say alike.
template <typename Description>
py::dict method_data(const Description& method) {
  py::dict data;
  data["name"] = method.name;
  data["paper"] = method.paper;
  data["summary"] = method.summary;
  data["options"] = option_data(method.options);
  return data;
}

template <typename Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.emplace_back(name_of(item));
  return names;
}

}  // namespace

py::list sampler_data() {
  py::list list;
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    py::dict data = method_data(sampler);
    data["effects"] = names_of(sampler.effects);
    data["needs"] = names_of(sampler.needs);
    data["makes_positives"] = sampler.makes_positives;
    list.append(data);
  }
  return list;
}

py::list objective_data() {
  py::list list;
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    py::dict data = method_data(objective);
    data["negatives"] = names_of(objective.sources);
    data["needs_labels"] = objective.needs_labels;
    data["needs_predictor"] = objective.needs_predictor;
    data["uses_temperature"] = objective.uses_temperature;
    list.append(data);
  }
  return list;
}

}  // namespace negatron::python
