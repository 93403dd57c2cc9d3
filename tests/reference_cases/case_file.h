#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

namespace negatron::reference {

/// One case of a reference file, its inputs taken from the shared ones unless it brings its own.
struct ReferenceCase {
  std::string name;
  nlohmann::json params;
  nlohmann::json expected;
  at::Tensor raw_queries;   // [B, d] fp64
  at::Tensor raw_keys;      // [B, d]
  at::Tensor raw_bank;      // [K, d]
  at::Tensor query_labels;  // [B] int64 or undefined
  at::Tensor bank_labels;   // [K] int64 or undefined

  bool expects(const char* key) const { return expected.contains(key); }
  bool has(const char* key) const { return params.contains(key); }
  double number(const char* key) const { return params.at(key).get<double>(); }
  double number_or(const char* key, double otherwise) const { return has(key) ? number(key) : otherwise; }
  at::Tensor bank() const;  // unit rows
};

/// Throws std::runtime_error or a JSON exception when the file is not one of reference cases.
std::vector<ReferenceCase> read_cases(const std::filesystem::path& path);

at::Tensor unit_rows(const at::Tensor& raw);
/// A list of lists of numbers as fp64; undefined when there are none.
at::Tensor matrix_of(const nlohmann::json& values);
at::Tensor labels_of(const nlohmann::json& values);
/// A tensor of any shape as nested lists.
nlohmann::json list_of(const at::Tensor& values);

}  // namespace negatron::reference
