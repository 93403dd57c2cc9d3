#include "launch/export/export_report.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {
namespace {

std::int64_t bytes_in(const NamedWeights& weights) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : weights) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

const std::string& fact_of(const ExportReport& report, const char* name) {
  static const std::string none;
  const auto found = report.facts.find(name);
  return found == report.facts.end() ? none : found->second;
}

/// What a library's network does not take.
std::string extra_names(const ExportedParts& parts) {
  std::string names = parts.head ? "\"projection_head.\", \"predictor.\"" : "";
  if (parts.key_encoder) names += (names.empty() ? "" : ", ") + std::string("\"key_encoder.\"");
  return names;
}

/// The lines of Python that load the file, each behind `indent`.
std::string python_lines(const ExportReport& report, const std::string& indent) {
  const std::string& path = report.request->paths[1];
  const bool is_torch = report.request->format == WeightsFormat::kTorch;
  std::string lines = report.recipe.library.python;
  lines += is_torch ? "weights = torch.load(\"" + path + "\", weights_only=True)\n"
                    : "weights = safetensors.torch.load_file(\"" + path + "\")\n";
  const std::string extra = extra_names(report.request->parts);
  if (!extra.empty()) {
    lines += "weights = {name: values for name, values in weights.items() if not name.startswith((" + extra + ",))}\n";
  }
  lines += "model.load_state_dict(weights)\nmodel.eval()\n";
  std::istringstream each((is_torch ? "import torch\n" : "import safetensors.torch\n") + lines);
  std::string text;
  for (std::string line; std::getline(each, line);) text += indent + line + "\n";
  return text;
}

void print_json(std::ostream& out, const ExportReport& report) {
  nlohmann::ordered_json json;
  json["path"] = report.request->paths[1];
  json["tensors"] = report.weights.size();
  json["bytes"] = bytes_in(report.weights);
  json["facts"] = report.facts;
  out << json_text(json) << "\n";
}

}  // namespace

void print_export(std::ostream& out, const ExportReport& report) {
  if (report.request->json) {
    print_json(out, report);
    return;
  }
  constexpr double kMega = 1e6;
  const std::string& path = report.request->paths[1];
  const std::string& encoder = fact_of(report, "encoder");
  out << "wrote " << path << ": " << report.weights.size() << " tensors, " << std::fixed << std::setprecision(1)
      << static_cast<double>(bytes_in(report.weights)) / kMega << " MB, " << encoder << " of step "
      << fact_of(report, kFactStep) << "\n"
      << "inputs [b, " << fact_of(report, kFactChannels) << ", " << fact_of(report, kFactHeight) << ", "
      << fact_of(report, kFactWidth) << "]: " << input_rule(report.recipe.format) << "\n"
      << "mean " << fact_of(report, kFactMean) << ", deviation " << fact_of(report, kFactDeviation) << "\n";
  if (report.recipe.library.name.empty()) {
    out << "No library has this network; it loads into negatron alone:\n";
  } else {
    out << "loads into " << report.recipe.library.name << ", all keys matching:\n"
        << python_lines(report, "    ") << "and into negatron:\n";
  }
  out << "    negatron pretrain --encoder " << encoder << " --init " << path << "\n" << std::flush;
}

}  // namespace negatron
