#pragma once

#include <iosfwd>

#include "launch/export/export_arguments.h"
#include "runtime/run/exported_weights.h"

namespace negatron {

/// What `negatron export` wrote.
struct ExportReport {
  const ExportArguments* request = nullptr;
  ExportedRecipe recipe;
  NamedWeights weights;
  WeightsFacts facts;
};

/// As text with lines of Python that load it, or with --json as one object.
void print_export(std::ostream& out, const ExportReport& report);

}  // namespace negatron
