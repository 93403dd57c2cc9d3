#include "launch/bank/bank_report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/text/json_text.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

using Json = nlohmann::ordered_json;

/// More labels than this are summed up for people; programs get all.
constexpr std::size_t kMostLabelsShown = 20;

std::string number(double value) {
  if (std::isnan(value)) return "-";
  std::ostringstream text;
  text << std::setprecision(7) << value;
  return text.str();
}

std::string size_text(std::int64_t bytes) {
  constexpr double kStep = 1024.0;
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= kStep && unit + 1 < std::size(kUnits)) {
    value /= kStep;
    ++unit;
  }
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 ? 0 : 1) << value << " " << kUnits[unit];
  return text.str();
}

std::string plural(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

void line(std::ostream& out, const std::string& name, const std::string& value) {
  constexpr std::size_t kValueColumn = 14;
  std::string padded = name;
  padded.resize(std::max(kValueColumn, name.size() + 1), ' ');
  out << "  " << padded << value << "\n";
}

std::string bar(std::int64_t rows, std::int64_t most) {
  constexpr std::int64_t kBarWidth = 40;
  return std::string(static_cast<std::size_t>((rows * kBarWidth + most - 1) / most), '#');
}

void print_ages(std::ostream& out, const BankInfo& info) {
  if (info.rows_without_step > 0) line(out, "no step", plural(info.rows_without_step, "row") + " (random or imported)");
  if (info.ages.empty()) return;
  line(out, "age", "in steps, " + number(info.mean_age) + " on average");
  std::int64_t most = 1;
  for (const AgeBin& bin : info.ages) most = std::max(most, bin.rows);
  for (const AgeBin& bin : info.ages) {
    const std::string range = std::to_string(bin.first) + (bin.last > bin.first ? "-" + std::to_string(bin.last) : "");
    out << "    " << std::setw(15) << range << std::setw(10) << bin.rows << "  " << bar(bin.rows, most) << "\n";
  }
}

void print_labels(std::ostream& out, const BankInfo& info) {
  const std::string without = plural(info.rows_without_label, "row") + " without";
  if (info.many_labels)
    return line(out, "labels", "more than " + std::to_string(BankInfo::kMostLabels) + ", " + without);
  if (info.labels.empty()) return line(out, "labels", "none");
  const auto by_rows = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [rarest, commonest] = std::minmax_element(info.labels.begin(), info.labels.end(), by_rows);
  line(out, "labels",
       plural(static_cast<std::int64_t>(info.labels.size()), "label") + ", " + std::to_string(rarest->second) + " to " +
           plural(commonest->second, "row") + " each, " + without);
  if (info.labels.size() > kMostLabelsShown) return;
  for (const auto& [label, rows] : info.labels) {
    out << "    " << std::setw(15) << label << std::setw(10) << rows << "  " << bar(rows, commonest->second) << "\n";
  }
}

}  // namespace

Json bank_json(const OpenBank& bank) {
  const BankLayout layout = bank.layout();
  return {{"path", bank.path.string()},
          {"step", bank.manifest.step},
          {"rows", layout.capacity()},
          {"filled", layout.filled()},
          {"width", bank.bank().width},
          {"vector_width", vector_width(bank.bank().length, bank.bank().width)},
          {"dtype", dtype_text(bank.bank().dtype)},
          {"name", bank.bank().name},
          {"kind", kind_text(bank.bank().kind)},
          {"row_length", name_of(bank.bank().length)},
          {"row_optimizer", rows_learn(bank.bank().kind) ? row_optimizer_text(bank.bank().row_optimizer) : ""},
          {"shards", bank.bank().shards},
          {"keys", {layout.floor(), layout.head()}},
          {"trainer", bank.manifest.has(kTrainerName)},
          {"notes", bank.notes}};
}

Json info_json(const OpenBank& bank, const BankInfo& info, std::uint64_t seed) {
  Json json = bank_json(bank);
  json["bytes"] = {{"bank", info.bank_bytes}, {"snapshot", info.snapshot_bytes}};
  Json ages = Json::array();
  for (const AgeBin& bin : info.ages) ages.push_back({{"first", bin.first}, {"last", bin.last}, {"rows", bin.rows}});
  json["age"] = {{"mean", info.mean_age}, {"bins", ages}, {"rows_without_step", info.rows_without_step}};
  Json labels = Json::object();
  for (const auto& [label, rows] : info.labels) labels[std::to_string(label)] = rows;
  json["labels"] = {{"rows", labels}, {"too_many_to_count", info.many_labels}, {"without", info.rows_without_label}};
  json["rows_without_id"] = info.rows_without_id;
  json["norms"] = {{"min", info.norm_min},
                   {"mean", info.norm_mean},
                   {"max", info.norm_max},
                   {"rows_not_finite", info.rows_not_finite}};
  json["uniformity"] = {{"value", info.uniformity}, {"sampled_rows", info.uniformity_rows}, {"seed", seed}};
  return json;
}

std::string meaning_of(BankKind kind) {
  switch (kind) {
    case BankKind::kQueue:
      return {};
    case BankKind::kMemory:
      return ": a row for each sample";
    case BankKind::kLearned:
      return ": rows that are trained";
    case BankKind::kIndex:
      return ": a row for each sample, made anew all at once";
    case BankKind::kParametric:
      return ": a row for each sample, trained with the encoder";
  }
  return {};
}

void print_info(std::ostream& out, const OpenBank& bank, const BankInfo& info, std::uint64_t seed) {
  const BankLayout layout = bank.layout();
  const RowLength length = bank.bank().length;
  out << bank.path.string() << "\n";
  if (!bank.bank().name.empty()) line(out, "bank", bank.bank().name);
  line(out, "rows",
       std::to_string(layout.filled()) + " of " + std::to_string(layout.capacity()) + " filled, width " +
           std::to_string(bank.bank().width) + ", " + dtype_text(bank.bank().dtype));
  line(out, "files",
       plural(bank.bank().shards, "shard") + ", " + size_text(info.bank_bytes) + " (the snapshot " +
           size_text(info.snapshot_bytes) + ")" +
           (bank.manifest.has(kTrainerName) ? "" : ", a bank alone: no trainer's state"));
  line(out, "step", std::to_string(bank.manifest.step));
  line(out, "kind", kind_text(bank.bank().kind) + meaning_of(bank.bank().kind));
  if (rows_learn(bank.bank().kind)) line(out, "trained by", row_optimizer_text(bank.bank().row_optimizer));
  if (length == RowLength::kAsMade) {
    line(out, "row length", "raw: as the encoder made them, scores are inner products");
  } else if (length == RowLength::kDistance) {
    line(out, "row length",
         "distance: vectors n of " + std::to_string(vector_width(length, bank.bank().width)) +
             " numbers as the encoder made them, -|n|^2 / 2 and 1; scores are -|q - n|^2 / 2");
  }
  line(out, "keys", std::to_string(layout.floor()) + ":" + std::to_string(layout.head()) + " (sequence numbers)");
  print_ages(out, info);
  print_labels(out, info);
  line(out, "no id", plural(info.rows_without_id, "row"));
  line(out, "norms",
       number(info.norm_min) + " to " + number(info.norm_max) + ", " + number(info.norm_mean) + " on average" +
           (info.rows_not_finite > 0 ? ", " + plural(info.rows_not_finite, "row") + " not finite" : ""));
  line(out, "uniformity",
       number(info.uniformity) + " (log mean exp(-2 |x - y|^2) over all pairs of " +
           (length != RowLength::kUnit ? "the directions of " : "") + plural(info.uniformity_rows, "row") + ", seed " +
           std::to_string(seed) + ")");
}

Json verify_json(const std::vector<SnapshotVerdict>& verdicts) {
  Json snapshots = Json::array();
  for (const SnapshotVerdict& verdict : verdicts) {
    Json files = Json::array();
    for (const FileVerdict& file : verdict.files) {
      files.push_back(
          {{"file", file.name}, {"bytes", file.bytes}, {"good", file.problem.empty()}, {"problem", file.problem}});
    }
    snapshots.push_back({{"path", verdict.path.string()},
                         {"good", verdict.good()},
                         {"files", files},
                         {"not_part_of_it", verdict.strangers}});
  }
  const bool good = std::all_of(verdicts.begin(), verdicts.end(), [](const auto& one) { return one.good(); });
  return {{"good", good}, {"snapshots", snapshots}};
}

void print_verdict(std::ostream& out, const SnapshotVerdict& verdict) {
  out << verdict.path.string() << "\n";
  for (const FileVerdict& file : verdict.files) {
    const bool good = file.problem.empty();
    out << (good ? "  ok   " : "  BAD  ") << file.name << "  "
        << (good ? size_text(file.bytes) : terminal_text(file.problem)) << "\n";
  }
  for (const std::string& name : verdict.strangers)
    out << "  ?    " << terminal_text(name) << "  is not part of the snapshot\n";
}

bool BankComparison::equal() const {
  if (tolerance == 0.0) return diff.equal();
  // A NaN is within no tolerance.
  return rows.all_in_order && diff.same_labels && (rows.pairs == 0 || rows.largest_difference <= tolerance);
}

Json diff_json(const OpenBank& a, const OpenBank& b, const BankComparison& found) {
  const BankDiff& diff = found.diff;
  return {{"equal", found.equal()},
          {"tolerance", found.tolerance},
          {"pairs", found.rows.pairs},
          {"pairs_in_order", found.rows.all_in_order},
          {"largest_difference", found.rows.largest_difference},
          {"smallest_cosine", found.rows.smallest_cosine},
          {"not_compared", found.rows.why_not},
          {"a", bank_json(a)},
          {"b", bank_json(b)},
          {"common", diff.common},
          {"only_a", diff.only_a},
          {"only_b", diff.only_b},
          {"other_vector", diff.changed},
          {"same_order", diff.same_order},
          {"same_labels", diff.same_labels}};
}

void print_diff(std::ostream& out, const OpenBank& a, const OpenBank& b, const BankComparison& found) {
  const BankDiff& diff = found.diff;
  const auto differs = [&](const char* name, const auto& of_a, const auto& of_b) {
    if (of_a != of_b) out << name << ": " << of_a << " in A, " << of_b << " in B\n";
  };
  if (!a.bank().name.empty()) out << "bank " << a.bank().name << "\n";
  differs("width", a.bank().width, b.bank().width);
  differs("row length", std::string(name_of(a.bank().length)), std::string(name_of(b.bank().length)));
  differs("type", dtype_text(a.bank().dtype), dtype_text(b.bank().dtype));
  differs("capacity", a.layout().capacity(), b.layout().capacity());
  differs("newest key", a.layout().head(), b.layout().head());
  out << "in both " << diff.common << ", only in A " << diff.only_a << ", only in B " << diff.only_b
      << ", other vector for the same id and step " << diff.changed << "\n";
  out << "largest difference " << number(found.rows.largest_difference) << ", smallest cosine "
      << number(found.rows.smallest_cosine) << ", over " << plural(found.rows.pairs, "pair")
      << " of the same id and step" << (found.rows.why_not.empty() ? "" : " (" + found.rows.why_not + ")") << "\n";
  if (found.tolerance > 0.0) {
    out << (found.equal() ? "equal" : "different") << " within --tolerance " << found.tolerance << "\n";
  } else if (diff.equal()) {
    out << "equal: the same rows in the same order, with the same labels\n";
  } else if (diff.changed == 0 && diff.only_a == 0 && diff.only_b == 0) {
    out << "different: the same rows, " << (diff.same_order ? "with other labels" : "in another order") << "\n";
  } else {
    out << "different\n";
  }
}

void report_written(std::ostream& out, bool as_json, const std::filesystem::path& path, const Manifest& manifest,
                    const Json& more) {
  if (as_json) {
    Json json = bank_json({path, manifest, {}});
    if (manifest.banks.size() > 1) {
      for (const SavedBank& bank : manifest.banks) json["banks"].push_back(bank.name);
    }
    json.update(more);
    out << json_text(json) << "\n";
    return;
  }
  const SavedBank& first = manifest.banks.front();
  const BankLayout layout(first.layout, first.shards);
  std::int64_t bytes = 0;
  for (const ManifestFile& file : manifest.files) bytes += file.digest.bytes;
  out << "wrote " << path.string() << ": "
      << (manifest.banks.size() > 1 ? "the banks " + bank_names_text(manifest.banks) + ", the first with "
                                    : std::string())
      << layout.filled() << " of " << layout.capacity() << " rows of width " << first.width << ", "
      << dtype_text(first.dtype) << ", " << plural(first.shards, "shard") << ", step " << manifest.step << ", "
      << size_text(bytes) << "\n";
}

}  // namespace negatron
