#include "runtime/data/sources/tar_index.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/encoded_images.h"
#include "runtime/data/sources/tar_reader.h"

namespace negatron {
namespace {

constexpr const char* kIndexMagic = "negatron-tar-index-1";
constexpr const char* kIndexEnd = "end";
constexpr std::array<std::string_view, 4> kImageMembers = {"jpg", "jpeg", "png", "webp"};
/// A label is a few characters, a description hardly more than some pages.
constexpr std::int64_t kMostLabelBytes = 1 << 24;

/// "a/b.seg.png" is the member "seg.png" of the sample "a/b".
struct MemberName {
  std::string sample;
  std::string ending;
};

std::optional<MemberName> split_name(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', begin);
  if (dot == std::string::npos || dot == begin) return std::nullopt;
  MemberName split{name.substr(0, dot), name.substr(dot + 1)};
  std::transform(split.ending.begin(), split.ending.end(), split.ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return split;
}

bool is_image_member(const std::string& ending) {
  return std::find(kImageMembers.begin(), kImageMembers.end(), ending) != kImageMembers.end();
}

std::optional<std::int64_t> label_in_text(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  std::int64_t label = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), label);
  const bool is_label =
      result.ec == std::errc() && result.ptr == text.data() + text.size() && label >= 0 && label < kMostLabels;
  return is_label ? std::optional(label) : std::nullopt;
}

std::optional<std::int64_t> label_in_json(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  for (const char* key : {"label", "cls"}) {
    const auto found = json.find(key);
    if (found != json.end() && found->is_number_unsigned() && *found < kMostLabels) return found->get<std::int64_t>();
  }
  return std::nullopt;
}

/// The label that a member says, if it is one that does.
std::optional<std::int64_t> label_of(const ReadFile& file, const TarMember& member, const std::string& ending) {
  if ((ending != "cls" && ending != "json") || member.size > kMostLabelBytes) return std::nullopt;
  const std::vector<std::uint8_t> bytes = file.read(member.offset, member.size);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (ending == "json") return label_in_json(text);
  const std::optional<std::int64_t> label = label_in_text(text);
  if (label) return label;
  throw DataError("Tar archive '" + file.path().string() + "' has a label '" + std::string(text.substr(0, 20)) +
                  "' in '" + member.name + "', expected a whole number from 0.");
}

std::vector<TarSample> read_samples(const ReadFile& file) {
  std::vector<TarSample> samples;
  std::optional<std::string> name;
  TarSample current;
  bool has_image = false;
  const auto finish = [&] {
    if (has_image) samples.push_back(current);
  };
  TarReader reader(file);
  while (const std::optional<TarMember> member = reader.next()) {
    const std::optional<MemberName> split = split_name(member->name);
    if (!split) continue;
    if (name != split->sample) {
      finish();
      name = split->sample;
      current = {0, 0, kNoTarLabel};
      has_image = false;
    }
    if (!has_image && is_image_member(split->ending)) {
      current.offset = member->offset;
      current.size = member->size;
      has_image = true;
    } else if (current.label == kNoTarLabel) {
      current.label = label_of(file, *member, split->ending).value_or(kNoTarLabel);
    }
  }
  finish();
  return samples;
}

std::filesystem::path index_path(const ReadFile& file) {
  return file.path().string() + ".index";
}

std::string index_head(const ReadFile& file) {
  return std::string(kIndexMagic) + " " + std::to_string(file.size()) + " " + std::to_string(file.changed());
}

/// Nothing where there is no index of this shard as it is now, or a damaged one.
std::optional<std::vector<TarSample>> kept_samples(const ReadFile& file) {
  std::ifstream index(index_path(file));
  std::string line;
  if (!std::getline(index, line) || line != index_head(file)) return std::nullopt;
  std::vector<TarSample> samples;
  while (std::getline(index, line) && line != kIndexEnd) {
    std::istringstream fields(line);
    TarSample sample;
    fields >> sample.offset >> sample.size >> sample.label;
    const bool fits = sample.offset >= 0 && sample.size >= 0 && sample.size <= file.size() - sample.offset;
    if (!fields || !fits || sample.label < kNoTarLabel || sample.label >= kMostLabels) return std::nullopt;
    samples.push_back(sample);
  }
  return line == kIndexEnd ? std::optional(std::move(samples)) : std::nullopt;
}

/// Under another name first, so that no reader sees half of it.
void keep_samples(const ReadFile& file, const std::vector<TarSample>& samples) {
  const std::filesystem::path path = index_path(file);
  std::random_device random;
  const std::string unique = path.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(random());
  // With the modes that the umask leaves, as all files of this program.
  std::ofstream index(unique);
  index << index_head(file) << "\n";
  for (const TarSample& sample : samples) {
    index << sample.offset << " " << sample.size << " " << sample.label << "\n";
  }
  index << kIndexEnd << "\n";
  index.close();
  std::error_code error;
  if (index) std::filesystem::rename(unique, path, error);
  if (!index || error) std::filesystem::remove(unique, error);
}

}  // namespace

std::vector<TarSample> tar_samples(const std::filesystem::path& path) {
  const ReadFile file(path);
  if (std::optional<std::vector<TarSample>> kept = kept_samples(file)) return *std::move(kept);
  std::vector<TarSample> samples = read_samples(file);
  keep_samples(file, samples);
  return samples;
}

}  // namespace negatron
