#include "tests/reference_cases/case_file.h"

#include <fstream>
#include <stdexcept>

namespace negatron::reference {
namespace {

/// The value of a key: the case's own, in its inputs or parameters, else the shared one.
nlohmann::json input_of(const nlohmann::json& shared, const nlohmann::json& entry, const char* key) {
  for (const char* place : {"inputs", "params"}) {
    if (!entry.contains(place) || !entry.at(place).is_object()) continue;
    const nlohmann::json& own = entry.at(place);
    if (own.contains(key) && own.at(key) != "shared") return own.at(key);
  }
  return shared.value(key, nlohmann::json());
}

}  // namespace

at::Tensor unit_rows(const at::Tensor& raw) {
  return raw / raw.norm(2, {1}, true);
}

at::Tensor ReferenceCase::bank() const {
  return unit_rows(raw_bank);
}

at::Tensor matrix_of(const nlohmann::json& values) {
  if (values.empty()) return {};
  std::vector<at::Tensor> rows;
  for (const nlohmann::json& row : values) rows.push_back(at::tensor(row.get<std::vector<double>>(), at::kDouble));
  return at::stack(rows);
}

at::Tensor labels_of(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<std::int64_t>>(), at::kLong);
}

nlohmann::json list_of(const at::Tensor& values) {
  if (values.dim() == 0) return values.item<double>();
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t i = 0; i < values.size(0); ++i) list.push_back(list_of(values[i]));
  return list;
}

std::vector<ReferenceCase> read_cases(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  const nlohmann::json content = nlohmann::json::parse(file);
  const nlohmann::json shared = content.value("shared_inputs", nlohmann::json::object());
  std::vector<ReferenceCase> cases;
  for (const nlohmann::json& entry : content.at("cases")) {
    ReferenceCase reference;
    reference.name = entry.at("name");
    reference.params = entry.value("params", nlohmann::json::object());
    reference.expected = entry.at("expected");
    reference.raw_queries = matrix_of(input_of(shared, entry, "q_raw"));
    reference.raw_keys = matrix_of(input_of(shared, entry, "k_pos_raw"));
    reference.raw_bank = matrix_of(input_of(shared, entry, "bank_raw"));
    const auto labels = [&](const char* key, const at::Tensor& vectors) {
      const nlohmann::json values = input_of(shared, entry, key);
      if (values.is_null() || !vectors.defined() || static_cast<std::int64_t>(values.size()) != vectors.size(0))
        return at::Tensor();
      return labels_of(values);
    };
    reference.query_labels = labels("query_labels", reference.raw_queries);
    reference.bank_labels = labels("bank_labels", reference.raw_bank);
    cases.push_back(reference);
  }
  return cases;
}

}  // namespace negatron::reference
