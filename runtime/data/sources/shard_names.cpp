#include "runtime/data/sources/shard_names.h"

#include <glob.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "runtime/data/data_error.h"

namespace negatron {
namespace {

constexpr std::size_t kMostShards = 1'000'000;
constexpr const char* kTarEnding = ".tar";

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = result.ec == std::errc() && result.ptr == text.data() + text.size() && value >= 0;
  return is_number ? std::optional(value) : std::nullopt;
}

[[noreturn]] void refuse_many(const std::string& pattern) {
  throw DataError("Data '" + pattern + "' stand for more than " + std::to_string(kMostShards) + " files.");
}

/// Of what is between two braces; none when it is neither a range nor a list.
std::vector<std::string> choices(const std::string& inside, const std::string& pattern) {
  std::vector<std::string> found;
  const std::size_t dots = inside.find("..");
  if (dots != std::string::npos) {
    const std::string first = inside.substr(0, dots), last = inside.substr(dots + 2);
    const auto begin = whole_number(first), end = whole_number(last);
    if (!begin || !end || *end < *begin) return {};
    if (static_cast<std::size_t>(*end - *begin) >= kMostShards) refuse_many(pattern);
    // As many digits as the first has: {000..010}.
    for (std::int64_t value = *begin; value <= *end; ++value) {
      const std::string digits = std::to_string(value);
      found.push_back(std::string(first.size() - std::min(first.size(), digits.size()), '0') + digits);
    }
    return found;
  }
  if (inside.find(',') == std::string::npos) return {};
  for (std::size_t begin = 0; begin <= inside.size();) {
    const std::size_t end = std::min(inside.find(',', begin), inside.size());
    found.push_back(inside.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

bool is_tar(const std::filesystem::path& path) {
  return path.extension() == kTarEnding;
}

std::vector<std::filesystem::path> archives_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const bool is_hidden = entry->path().filename().string().starts_with(".");
    if (!is_hidden && is_tar(entry->path())) paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::filesystem::path> matches(const std::string& pattern) {
  std::vector<std::filesystem::path> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) break;
    const std::vector<std::string> inside = choices(pattern.substr(open + 1, close - open - 1), pattern);
    if (inside.empty()) continue;
    const std::vector<std::string> rest = expand_braces(pattern.substr(close + 1));
    if (inside.size() > kMostShards / rest.size()) refuse_many(pattern);
    std::vector<std::string> names;
    for (const std::string& choice : inside) {
      for (const std::string& end : rest) names.push_back(pattern.substr(0, open) + choice + end);
    }
    return names;
  }
  return {pattern};
}

std::vector<std::filesystem::path> shard_paths(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return archives_in(path);
  if (std::filesystem::exists(path, error)) {
    return is_tar(path) ? std::vector{path} : std::vector<std::filesystem::path>();
  }
  std::vector<std::filesystem::path> paths;
  for (const std::string& name : expand_braces(path.string())) {
    if (!name.ends_with(kTarEnding)) return {};
    const bool is_pattern = name.find_first_of("*?[") != std::string::npos;
    const bool stays = name == path.string() && !is_pattern;
    if (stays) return {};
    const std::vector<std::filesystem::path> found =
        is_pattern ? matches(name) : std::vector{std::filesystem::path(name)};
    paths.insert(paths.end(), found.begin(), found.end());
  }
  return paths;
}

}  // namespace negatron
