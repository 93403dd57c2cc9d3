#include "runtime/data/sample_types.h"

#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/text/byte_order_mark.h"

namespace negatron {
namespace {

/// Types are counted off one by one, so a number as large as this is no type.
constexpr std::int64_t kMostTypes = 1024;
constexpr std::int64_t kNoType = -1;

std::int64_t parse_type(const std::string& line, const std::string& place) {
  std::int64_t type = 0;
  const auto result = std::from_chars(line.data(), line.data() + line.size(), type);
  if (result.ec != std::errc() || result.ptr != line.data() + line.size() || type < kNoType || type >= kMostTypes) {
    throw DataError(place + " says '" + line + "', expected the type of one sample, a whole number from -1 (none) to " +
                    std::to_string(kMostTypes - 1) + ".");
  }
  return type;
}

}  // namespace

at::Tensor read_sample_types(const std::filesystem::path& path, std::int64_t samples) {
  std::ifstream file(path);
  if (!file) throw DataError("--sample-types: could not read '" + path.string() + "'.");
  std::vector<std::int64_t> types;
  std::size_t empty_lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (types.empty()) line = without_byte_order_mark(line);
    const std::size_t last = line.find_last_not_of(" \t\r");
    line.resize(last == std::string::npos ? 0 : last + 1);
    // Behind the last type they are nobody's.
    if (line.empty()) {
      ++empty_lines;
      continue;
    }
    if (empty_lines > 0) {
      throw DataError("--sample-types: line " + std::to_string(types.size() + 1) + " of '" + path.string() +
                      "' is empty, expected the type of one sample.");
    }
    types.push_back(
        parse_type(line, "--sample-types: line " + std::to_string(types.size() + 1) + " of '" + path.string() + "'"));
  }
  if (static_cast<std::int64_t>(types.size()) != samples) {
    throw DataError("--sample-types: '" + path.string() + "' has " + std::to_string(types.size()) +
                    " lines, expected one for each of the " + std::to_string(samples) + " training samples.");
  }
  return at::tensor(types, at::kLong);
}

}  // namespace negatron
