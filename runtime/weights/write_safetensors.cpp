#include "runtime/weights/write_safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "runtime/snapshots/files/digested_file.h"
#include "runtime/text/json_text.h"
#include "runtime/weights/safetensors_types.h"

namespace negatron {
namespace {

static_assert(std::endian::native == std::endian::little, "Values are written as they lie in memory.");

/// The header ends at a multiple of it, as that of Python's library.
constexpr std::size_t kHeaderAlignment = 8;

const char* safetensors_type(const std::string& name, at::ScalarType dtype) {
  for (const auto& [text, known] : kSafetensorsTypes) {
    if (known == dtype) return text;
  }
  throw std::invalid_argument("'" + name + "' is of " + c10::toString(dtype) + ", which no safetensors file holds.");
}

std::span<const std::byte> bytes_in(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

/// With blanks behind it, which JSON allows.
std::string header_of(const NamedWeights& weights, const WeightsFacts& facts) {
  nlohmann::ordered_json header;
  if (!facts.empty()) header["__metadata__"] = facts;
  std::size_t position = 0;
  for (const auto& [name, tensor] : weights) {
    const std::size_t end = position + tensor.nbytes();
    header[name] = {{"dtype", safetensors_type(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = json_text(header);
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(FileLayer& files, const std::filesystem::path& path, const NamedWeights& weights,
                       const WeightsFacts& facts) {
  NamedWeights ordered = weights;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.second.element_size() > b.second.element_size(); });
  for (auto& [name, tensor] : ordered) tensor = tensor.detach().to(at::kCPU).contiguous();
  const std::string header = header_of(ordered, facts);
  const auto length = static_cast<std::uint64_t>(header.size());
  const FileWriting writing;
  DigestedFile file(files, path, writing);
  file.append(std::as_bytes(std::span(&length, 1)));
  file.append(std::as_bytes(std::span(header)));
  for (const auto& [name, tensor] : ordered) file.append(bytes_in(tensor));
  file.finish();
}

}  // namespace negatron
