#include "launch/evaluate/evaluate_report.h"

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {
namespace {

std::string percent_text(double part) {
  if (std::isnan(part)) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100.0 * part;
  return text.str();
}

nlohmann::ordered_json number_or_null(double value) {
  return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
}

}  // namespace

void print_report(std::ostream& out, const EvaluateReport& report) {
  constexpr int kNameColumn = 18, kNumberColumn = 14;
  out << "\n" << report.encoder;
  if (report.step) out << ", step " << *report.step;
  out << "\non " << report.data << ": " << report.train_images << " training images, " << report.test_images
      << " classified, " << report.classes << " classes\n\naccuracy on features (%)\n  " << std::left
      << std::setw(kNameColumn) << "" << std::right << std::setw(kNumberColumn)
      << "kNN, k = " + std::to_string(report.knn_k) << std::setw(kNumberColumn) << "linear probe"
      << std::setw(kNumberColumn) << "features"
      << "\n";
  for (const EvaluatedSubject& subject : report.subjects) {
    out << "  " << std::left << std::setw(kNameColumn) << subject.name << std::right << std::setw(kNumberColumn)
        << percent_text(subject.score.knn) << std::setw(kNumberColumn) << percent_text(subject.score.probe)
        << std::setw(kNumberColumn) << subject.score.width;
    if (subject.most > 0) out << "   of " << subject.most << " images of each part: --data-memory";
    out << "\n";
  }
  out << std::flush;
}

void print_report_json(std::ostream& out, const EvaluateReport& report) {
  nlohmann::ordered_json json;
  json["encoder"] = report.encoder;
  json["step"] = report.step ? nlohmann::ordered_json(*report.step) : nlohmann::ordered_json();
  json["data"] = report.data;
  json["train_images"] = report.train_images;
  json["test_images"] = report.test_images;
  json["classes"] = report.classes;
  json["knn_k"] = report.knn_k;
  json["subjects"] = nlohmann::ordered_json::array();
  for (const EvaluatedSubject& subject : report.subjects) {
    json["subjects"].push_back({{"name", subject.name},
                                {"features", subject.score.width},
                                {"knn", subject.score.knn},
                                {"linear_probe", number_or_null(subject.score.probe)},
                                {"linear_probe_l2", number_or_null(subject.score.probe_l2)},
                                {"most_images", subject.most}});
  }
  out << json_text(json) << "\n" << std::flush;
}

}  // namespace negatron
