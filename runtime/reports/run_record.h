#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/reports/near_pictures.h"
#include "runtime/reports/thinned_curve.h"

namespace negatron {

/// One line of an evaluation: of the encoder, or of a baseline. NaN for what was not computed.
struct EvaluationRecord {
  std::string subject;
  std::int64_t step = 0;
  double knn = 0.0;
  double alignment = 0.0;
  double uniformity = 0.0;
};

/// What a run left in its directory to be looked at.
struct RunRecord {
  /// The directory as it was named.
  std::string name;
  /// Of config.ini, in its order: flag and value.
  std::vector<std::pair<std::string, std::string>> settings;
  /// Steps that metrics.jsonl tells of.
  std::int64_t steps = 0;
  /// By name; what is nested has a dot in it: "step_ms.total".
  std::map<std::string, ThinnedCurve> curves;
  std::vector<EvaluationRecord> evaluations;
  /// Empty where nobody made them.
  std::vector<NearPictures> pictures{};
};

/// Reads config.ini and metrics.jsonl of a run directory, of a run that still writes them too: a last line without an
/// end is left out. Local. Throws std::invalid_argument when there is no metrics.jsonl, and for a line that is not
/// JSON, with its number.
RunRecord read_run_record(const std::filesystem::path& run);

}  // namespace negatron
