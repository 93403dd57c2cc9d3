#include "runtime/data/sample_numbers.h"

#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/text/byte_order_mark.h"

namespace negatron {
namespace {

/// What the lines of a file say.
struct Lines {
  const char* flag;
  /// "the type of one sample"
  const char* number;
  std::int64_t least;
  std::int64_t most;
  /// Which numbers those are.
  const char* range;
};

/// Types are counted off one by one, so a number as large as this is no type.
constexpr Lines kTypes{"--sample-types", "the type of one sample", -1, 1023, "from -1 (none) to 1023"};
/// All of these are numbers of a double.
constexpr Lines kCounts{"--sample-counts", "the count of one sample", 0, std::int64_t{1} << 53, "from 0 to 2^53"};

std::int64_t parse_number(const std::string& line, const Lines& lines, const std::string& place) {
  std::int64_t number = 0;
  const auto result = std::from_chars(line.data(), line.data() + line.size(), number);
  const bool is_whole = result.ec == std::errc() && result.ptr == line.data() + line.size();
  if (!is_whole || number < lines.least || number > lines.most) {
    throw DataError(place + " says '" + line + "', expected " + lines.number + ", a whole number " + lines.range + ".");
  }
  return number;
}

at::Tensor read_numbers(const std::filesystem::path& path, std::int64_t samples, const Lines& lines) {
  const std::string flag = std::string(lines.flag) + ": ";
  std::ifstream file(path);
  if (!file) throw DataError(flag + "could not read '" + path.string() + "'.");
  std::vector<std::int64_t> numbers;
  std::size_t empty_lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (numbers.empty()) line = without_byte_order_mark(line);
    const std::size_t last = line.find_last_not_of(" \t\r");
    line.resize(last == std::string::npos ? 0 : last + 1);
    // Behind the last number they are nobody's.
    if (line.empty()) {
      ++empty_lines;
      continue;
    }
    const std::string place = flag + "line " + std::to_string(numbers.size() + 1) + " of '" + path.string() + "'";
    if (empty_lines > 0) throw DataError(place + " is empty, expected " + lines.number + ".");
    numbers.push_back(parse_number(line, lines, place));
  }
  if (static_cast<std::int64_t>(numbers.size()) != samples) {
    throw DataError(flag + "'" + path.string() + "' has " + std::to_string(numbers.size()) +
                    " lines, expected one for each of the " + std::to_string(samples) + " training samples.");
  }
  return at::tensor(numbers, at::kLong);
}

}  // namespace

at::Tensor read_sample_types(const std::filesystem::path& path, std::int64_t samples) {
  return read_numbers(path, samples, kTypes);
}

at::Tensor read_sample_counts(const std::filesystem::path& path, std::int64_t samples) {
  return read_numbers(path, samples, kCounts);
}

}  // namespace negatron
