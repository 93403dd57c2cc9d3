#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "samplers/objectives/objective.h"
#include "samplers/objectives/temperature.h"
#include "samplers/options/method_options.h"

namespace negatron {

/// Where the negatives of a query come from.
enum class NegativeSource {
  kBank,          ///< the bank; anchors are the queries
  kBatch,         ///< the other views of all ranks' batches, with gradient to both sides
  kBankAndBatch,  ///< the bank and the other samples' keys of all ranks' batches; anchors are the queries
  kNone           ///< no negatives
};

/// As --negatives takes it.
inline const char* name_of(NegativeSource source) {
  switch (source) {
    case NegativeSource::kBank:
      return "bank";
    case NegativeSource::kBatch:
      return "batch";
    case NegativeSource::kBankAndBatch:
      return "bank-and-batch";
    case NegativeSource::kNone:
      return "none";
  }
  return "";
}

/// What --list-objectives prints.
struct ObjectiveDescription {
  std::string name;
  std::string paper;
  std::string summary;
  std::vector<MethodOption> options;
  /// Which sources it works with; the first is the default.
  std::vector<NegativeSource> sources{NegativeSource::kBank, NegativeSource::kBatch, NegativeSource::kBankAndBatch};
  /// In-batch: anchors are the queries only and their rows the other samples' keys; else both views.
  bool queries_only = false;
  bool needs_labels = false;
  /// Queries pass a predictor before the loss (BYOL).
  bool needs_predictor = false;
  /// Uses --tau.
  bool uses_temperature = true;
  /// Why queries, keys and rows must be of unit length, as the end of a sentence; null for a loss of scores alone,
  /// which takes any (--head-output raw).
  const char* why_unit_rows = nullptr;
  /// Why scores must be inner products and not squared distances (--head-output distance), as the end of a sentence;
  /// null where either does. With negatives of that source, see also the function below.
  const char* why_inner_products = nullptr;
};

/// The same, of an objective with negatives of that source: where views of a batch are anchors and what anchors meet at
/// once, a distance cannot be an inner product, as its two sides have other forms (squared_distance.h).
const char* why_inner_products(const ObjectiveDescription& objective, NegativeSource source);

/// Of losses by distances, which are written as scores (score_term.h).
inline constexpr const char* kUnitDistances = "its distances are those of unit vectors, D^2 = 2 - 2 s";

struct ObjectiveArguments {
  TemperatureOptions temperature;
  MethodOptions options;
  /// K, for what starts from it; 0 without a bank.
  std::int64_t bank_rows = 0;
};

const std::vector<ObjectiveDescription>& objective_descriptions();
/// Throws std::invalid_argument for an unknown name, with the nearest known one.
const ObjectiveDescription& describe_objective(const std::string& name);
std::unique_ptr<Objective> make_objective(const std::string& name, const ObjectiveArguments& arguments);

}  // namespace negatron
