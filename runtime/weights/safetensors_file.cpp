#include "runtime/weights/safetensors_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/weights/safetensors_types.h"

namespace negatron {
namespace {

static_assert(std::endian::native == std::endian::little, "Values are read as they lie in the file.");

constexpr std::int64_t kLengthBytes = 8;
/// As the format allows.
constexpr std::int64_t kLongestHeader = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

struct Entry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  /// In the part behind the header, bytes.
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::optional<at::ScalarType> dtype_of(const std::string& name) {
  for (const auto& [known, dtype] : kSafetensorsTypes) {
    if (name == known) return dtype;
  }
  return std::nullopt;
}

/// The bytes of so many values, nothing when they cannot be counted.
std::optional<std::int64_t> bytes_of(const Entry& entry) {
  auto bytes = static_cast<std::int64_t>(at::elementSize(entry.dtype));
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return bytes;
}

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path, std::ios::binary) {
    file_.seekg(0, std::ios::end);
    length_ = file_.tellg();
    file_.seekg(0);
    if (!file_ || length_ < kLengthBytes) refuse("it is too short");
  }

  SavedWeights read() {
    const std::vector<Entry> entries = read_header();
    check_places(entries);
    SavedWeights weights;
    for (const Entry& entry : entries) {
      const at::Tensor values = at::empty(entry.shape, at::dtype(entry.dtype));
      file_.seekg(data_begin_ + entry.begin);
      file_.read(static_cast<char*>(values.mutable_data_ptr()), entry.end - entry.begin);
      if (!file_) refuse("it could not be read at '" + entry.name + "'");
      if (!weights.emplace(entry.name, values).second) refuse("'" + entry.name + "' is in it twice");
    }
    return weights;
  }

  /// What of the metadata are texts.
  WeightsFacts facts() {
    const nlohmann::json header = read_header_text();
    WeightsFacts facts;
    const auto metadata = header.find(kMetadata);
    if (metadata == header.end() || !metadata->is_object()) return facts;
    for (const auto& [name, value] : metadata->items()) {
      if (value.is_string()) facts[name] = value.get<std::string>();
    }
    return facts;
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw WeightsError("'" + path_.string() + "' is not a whole safetensors file: " + reason + ".");
  }

  nlohmann::json read_header_text() {
    std::array<char, kLengthBytes> bytes{};
    file_.read(bytes.data(), bytes.size());
    const auto header = std::bit_cast<std::uint64_t>(bytes);
    if (header > static_cast<std::uint64_t>(std::min(length_ - kLengthBytes, kLongestHeader))) {
      refuse("its header would be " + std::to_string(header) + " bytes long");
    }
    std::string text(header, '\0');
    file_.read(text.data(), static_cast<std::streamsize>(header));
    if (!file_) refuse("its header could not be read");
    data_begin_ = kLengthBytes + static_cast<std::int64_t>(header);
    nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) refuse("its header is not a JSON object");
    return json;
  }

  std::vector<Entry> read_header() {
    const nlohmann::json json = read_header_text();
    std::vector<Entry> entries;
    for (const auto& [name, value] : json.items()) {
      if (name != kMetadata) entries.push_back(read_entry(name, value));
    }
    return entries;
  }

  Entry read_entry(const std::string& name, const nlohmann::json& value) const {
    const auto part = [&](const char* key) -> const nlohmann::json& {
      static const nlohmann::json none;
      const auto found = value.is_object() ? value.find(key) : value.end();
      return value.is_object() && found != value.end() ? *found : none;
    };
    const nlohmann::json& dtype = part("dtype");
    const nlohmann::json& shape = part("shape");
    const nlohmann::json& offsets = part("data_offsets");
    if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2) {
      refuse("its header does not say where '" + name + "' lies");
    }
    Entry entry;
    entry.name = name;
    const std::optional<at::ScalarType> known = dtype_of(dtype.get<std::string>());
    if (!known) {
      throw WeightsError("'" + path_.string() + "' holds '" + name + "' as " + dtype.get<std::string>() +
                         ", which is not read.");
    }
    entry.dtype = *known;
    for (const nlohmann::json& size : shape) entry.shape.push_back(count(size, name));
    entry.begin = count(offsets[0], name);
    entry.end = count(offsets[1], name);
    return entry;
  }

  std::int64_t count(const nlohmann::json& value, const std::string& name) const {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost) {
      refuse("shape or place of '" + name + "' are not whole numbers");
    }
    return value.get<std::int64_t>();
  }

  /// Tensors follow each other without gaps, so that none lies over another, and fill the file.
  void check_places(std::vector<Entry> entries) const {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::int64_t position = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != position || entry.end < entry.begin) refuse("'" + entry.name + "' lies in the wrong place");
      if (entry.end > length_ - data_begin_) refuse("it ends before '" + entry.name + "' does");
      if (bytes_of(entry) != entry.end - entry.begin) refuse("'" + entry.name + "' has not the bytes of its shape");
      position = entry.end;
    }
    if (position != length_ - data_begin_) refuse("it goes on behind its last tensor");
  }

  std::filesystem::path path_;
  std::ifstream file_;
  std::int64_t length_ = 0;
  std::int64_t data_begin_ = 0;
};

}  // namespace

SavedWeights read_safetensors(const std::filesystem::path& path) {
  return SafetensorsFile(path).read();
}

WeightsFacts read_safetensors_facts(const std::filesystem::path& path) {
  return SafetensorsFile(path).facts();
}

}  // namespace negatron
