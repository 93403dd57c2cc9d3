#include "runtime/reports/report_page.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no NaN.
Json number_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json curves_json(const RunRecord& run) {
  Json curves = Json::object();
  for (const auto& [name, curve] : run.curves) {
    Json points = Json::array();
    for (const ThinnedCurve::Point& point : curve.points()) points.push_back({point.step, point.value});
    if (!points.empty()) curves[name] = points;
  }
  return curves;
}

Json evaluations_json(const RunRecord& run) {
  Json evaluations = Json::array();
  for (const EvaluationRecord& evaluation : run.evaluations) {
    evaluations.push_back({{"subject", evaluation.subject},
                           {"step", evaluation.step},
                           {"knn", number_json(evaluation.knn)},
                           {"alignment", number_json(evaluation.alignment)},
                           {"uniformity", number_json(evaluation.uniformity)}});
  }
  return evaluations;
}

/// As a page holds a picture within itself.
std::string base64(std::string bytes) {
  using namespace boost::archive::iterators;
  using Digits = base64_from_binary<transform_width<std::string::const_iterator, 6, 8>>;
  // Three bytes are four digits; for bytes that are missing there stands an equals sign.
  const std::size_t missing = (3 - bytes.size() % 3) % 3;
  bytes.append(missing, '\0');
  std::string text(Digits(bytes.cbegin()), Digits(bytes.cend()));
  std::fill(text.end() - static_cast<std::ptrdiff_t>(missing), text.end(), '=');
  return text;
}

Json picture_json(const PicturedSample& sample) {
  return {
      {"id", sample.id}, {"label", sample.label}, {"score", number_json(sample.score)}, {"png", base64(sample.png)}};
}

Json pictures_json(const RunRecord& run) {
  Json pictures = Json::array();
  for (const NearPictures& one : run.pictures) {
    Json near = Json::array();
    for (const PicturedSample& sample : one.near) near.push_back(picture_json(sample));
    pictures.push_back({{"sample", picture_json(one.sample)}, {"near", near}});
  }
  return pictures;
}

double mean_of_last(const RunRecord& run, const std::string& name) {
  const auto curve = run.curves.find(name);
  return curve == run.curves.end() ? std::nan("") : curve->second.mean_of_last(ThinnedCurve::kRemembered);
}

std::string setting(const RunRecord& run, const std::string& name) {
  const auto found =
      std::find_if(run.settings.begin(), run.settings.end(), [&](const auto& entry) { return entry.first == name; });
  return found == run.settings.end() ? "" : found->second;
}

/// Rows of [flag, value in each run], in the order of the flags; where each run writes is no setting.
Json differences_json(const std::vector<RunRecord>& runs) {
  Json differences = Json::array();
  std::set<std::string> seen = {"run-dir"};
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : run.settings) {
      if (!seen.insert(name).second) continue;
      Json row = {name};
      for (const RunRecord& other : runs) row.push_back(setting(other, name));
      const bool differs = std::any_of(row.begin() + 1, row.end(), [&](const Json& entry) { return entry != row[1]; });
      if (differs) differences.push_back(row);
    }
  }
  return differences;
}

std::string safe_inside_a_script(std::string json) {
  // "</script>" in a name would end the element that holds the JSON.
  for (std::size_t at = 0; (at = json.find('<', at)) != std::string::npos;) json.replace(at, 1, "\\u003c");
  return json;
}

}  // namespace

std::string report_page(const std::vector<RunRecord>& runs) {
  Json all = Json::array();
  for (const RunRecord& run : runs) {
    Json settings = Json::array();
    for (const auto& [name, value] : run.settings) settings.push_back({name, value});
    all.push_back({{"name", run.name},
                   {"steps", run.steps},
                   {"loss", number_json(mean_of_last(run, "loss"))},
                   {"images_per_second", number_json(mean_of_last(run, "images_per_second"))},
                   {"evaluations", evaluations_json(run)},
                   {"pictures", pictures_json(run)},
                   {"settings", settings},
                   {"curves", curves_json(run)}});
  }
  const Json data = {{"runs", all}, {"differences", differences_json(runs)}};
  const std::string place = "{{runs}}";
  std::string page = kReportTemplate;
  const std::size_t at = page.find(place);
  if (page.rfind(kReportMark, 0) != 0 || at == std::string::npos) {
    throw std::logic_error("The template of reports has lost its first lines or the place of its runs.");
  }
  page.replace(at, place.size(), safe_inside_a_script(json_text(data)));
  return page;
}

}  // namespace negatron
