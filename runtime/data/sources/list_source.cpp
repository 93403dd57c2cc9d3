#include "runtime/data/sources/list_source.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/folder_listing.h"
#include "runtime/snapshots/files/digest.h"
#include "runtime/text/byte_order_mark.h"

namespace negatron {
namespace {

constexpr std::size_t kTextBytes = 4096;

struct ListLine {
  std::string_view path;
  std::optional<std::int64_t> label;
};

/// A name that ends like an image has no label behind it, whatever spaces are in it.
/// Example: "cats/my cat 3.png" has no label, "cats/my cat.png 3" and "cats/my cat.png\t3" have the label 3.
ListLine parse_line(std::string_view line, const std::string& place) {
  const std::size_t gap = is_image_name(line) ? std::string_view::npos : line.find_last_of("\t ");
  if (gap == std::string_view::npos) return {line, std::nullopt};
  const std::string_view number = line.substr(gap + 1);
  std::int64_t label = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), label);
  const bool is_number = result.ec == std::errc() && result.ptr == number.data() + number.size();
  if (!is_number && line[gap] == ' ') return {line, std::nullopt};
  if (!is_number || label < 0 || label >= kMostLabels) {
    throw DataError(place + " has the label '" + std::string(number) + "', expected a whole number from 0 to " +
                    std::to_string(kMostLabels - 1) + ".");
  }
  std::string_view path = line.substr(0, gap);
  path = path.substr(0, path.find_last_not_of("\t ") + 1);
  if (path.empty()) throw DataError(place + " has a label and no path.");
  return {path, label};
}

EncodedImages open_list(const SourceOptions& options) {
  const std::filesystem::path file(options.path);
  std::ifstream text(file);
  if (!text) throw DataError("Data list '" + file.string() + "' cannot be read.");
  PathList paths;
  std::vector<std::int64_t> labels;
  DigestStream digest;
  std::int64_t number = 0;
  for (std::string line; std::getline(text, line);) {
    if (++number == 1) line = without_byte_order_mark(line);
    line.resize(line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    const std::string place = "Line " + std::to_string(number) + " of the data list '" + file.string() + "'";
    const ListLine parsed = parse_line(line, place);
    if (paths.size() > 0 && parsed.label.has_value() == labels.empty()) {
      throw DataError(place + (labels.empty() ? " has a label, which those before have not."
                                              : " has no label, which those before have."));
    }
    paths.add(parsed.path);
    if (parsed.label) labels.push_back(*parsed.label);
    line += '\n';
    digest.update(std::as_bytes(std::span(line)));
  }
  std::string fingerprint = std::to_string(paths.size()) + " lines with the digest " + digest.hex();
  ImageLabels known;
  if (!labels.empty()) known.of_images = at::tensor(labels, at::kLong);
  return {std::make_shared<const PathFiles>(file.parent_path(), std::move(paths), std::move(fingerprint)),
          std::move(known), options};
}

}  // namespace

ListSource::ListSource(const SourceOptions& options) : EncodedImages(open_list(options)) {}

SourceDescription ListSource::describe() {
  return {"list", "a text file with the path of an image a line, and a label if there are any"};
}

bool ListSource::recognises(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string first(kTextBytes, '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(file.gcount()));
  // Bytes of UTF-8 are negative characters.
  const auto is_text = [](char c) { return c < 0 || c >= ' ' || c == '\t' || c == '\n' || c == '\r'; };
  return !first.empty() && std::all_of(first.begin(), first.end(), is_text);
}

}  // namespace negatron
