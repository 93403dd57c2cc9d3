#pragma once

#include <memory>
#include <string>
#include <vector>

#include "samplers/objectives/objective.h"
#include "samplers/objectives/temperature.h"

namespace negatron {

struct ObjectiveOptions {
  /// One of objective_names().
  std::string name = "info-nce";
  TemperatureOptions temperature;
  /// "info-nce-in-batch" only: keys take gradient too, so both views go through the query encoder.
  bool key_gradient = false;
};

/// Throws std::invalid_argument for an unknown name, with the known ones.
std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options);

/// In the order of the documentation.
std::vector<std::string> objective_names();

}  // namespace negatron
