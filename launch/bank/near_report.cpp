#include "launch/bank/near_report.h"

#include <iomanip>
#include <ostream>
#include <string>

namespace negatron {
namespace {

struct NearRow {
  double score = 0.0;
  std::int64_t sequence = -1, id = -1, label = -1, step = -1;
};

/// Those of one query; entries that are none are left out.
std::vector<NearRow> rows_of(const NearRows& rows, std::int64_t query) {
  std::vector<NearRow> found;
  for (std::int64_t i = 0; i < rows.scores.size(1); ++i) {
    const auto number = [&](const at::Tensor& numbers) { return numbers[query][i].item<std::int64_t>(); };
    const NearRow row{rows.scores[query][i].item<double>(), number(rows.sequence), number(rows.ids),
                      number(rows.labels), number(rows.steps)};
    if (row.sequence >= 0) found.push_back(row);
  }
  return found;
}

std::int64_t sample_of(const NearQueries& queries, std::int64_t query) {
  return queries.ids[query].item<std::int64_t>();
}

/// -1 is how "none" is stored.
std::string number_text(std::int64_t number) {
  return number < 0 ? "-" : std::to_string(number);
}

}  // namespace

nlohmann::ordered_json near_json(const NearQueries& queries, const NearRows& rows, std::int64_t first) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (std::int64_t query = 0; query < queries.count(); ++query) {
    nlohmann::ordered_json near = nlohmann::ordered_json::array();
    for (const NearRow& row : rows_of(rows, query)) {
      near.push_back(
          {{"score", row.score}, {"id", row.id}, {"label", row.label}, {"step", row.step}, {"sequence", row.sequence}});
    }
    const std::int64_t sample = sample_of(queries, query);
    const char* name = sample < 0 ? "query" : "sample";
    all.push_back({{name, sample < 0 ? first + query : sample}, {"rows", near}});
  }
  return {{"near", all}};
}

void print_near(std::ostream& out, const NearQueries& queries, const NearRows& rows, std::int64_t first) {
  constexpr int kScoreDigits = 5, kScoreWidth = 10, kNumberWidth = 12;
  for (std::int64_t query = 0; query < queries.count(); ++query) {
    const std::int64_t sample = sample_of(queries, query);
    out << (sample < 0 ? "query " + std::to_string(first + query) : "sample " + std::to_string(sample)) << "\n"
        << std::setw(kScoreWidth) << "score";
    for (const char* title : {"id", "label", "step", "sequence"}) out << std::setw(kNumberWidth) << title;
    out << "\n";
    for (const NearRow& row : rows_of(rows, query)) {
      out << std::setw(kScoreWidth) << std::fixed << std::setprecision(kScoreDigits) << row.score;
      for (const std::int64_t number : {row.id, row.label, row.step, row.sequence}) {
        out << std::setw(kNumberWidth) << number_text(number);
      }
      out << "\n";
    }
  }
}

}  // namespace negatron
