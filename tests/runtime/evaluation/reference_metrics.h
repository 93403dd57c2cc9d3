#pragma once

#include <fstream>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

namespace negatron::testing {

/// reference_cases.json with its shared inputs as unit rows.
class ReferenceMetrics {
 public:
  ReferenceMetrics() : root_(nlohmann::json::parse(std::ifstream(NEGATRON_REFERENCE_CASES))) {}

  const nlohmann::json& shared() const { return root_.at("shared_inputs"); }
  const nlohmann::json& metrics() const {
    for (const auto& entry : root_.at("cases")) {
      if (entry.at("name") == "metrics") return entry;
    }
    throw std::runtime_error("reference_cases.json has no case 'metrics'");
  }

  static at::Tensor matrix(const nlohmann::json& rows) {
    std::vector<double> values;
    for (const auto& row : rows) {
      for (const auto& value : row) values.push_back(value.get<double>());
    }
    return at::tensor(values, at::kDouble).view({static_cast<std::int64_t>(rows.size()), -1});
  }
  static at::Tensor unit_matrix(const nlohmann::json& rows) {
    const at::Tensor raw = matrix(rows);
    return raw / raw.norm(2, 1, true);
  }
  static at::Tensor labels(const nlohmann::json& values) {
    return at::tensor(values.get<std::vector<std::int64_t>>(), at::kLong);
  }

 private:
  nlohmann::json root_;
};

}  // namespace negatron::testing
