#include "runtime/weights/saved_weights.h"

#include <array>
#include <fstream>
#include <string_view>

#include "runtime/weights/safetensors_file.h"
#include "runtime/weights/torch_file.h"

namespace negatron {
namespace {

constexpr std::size_t kHead = 9;

std::string head_of(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw WeightsError("'" + path.string() + "' is a directory, not a file of weights.");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw WeightsError("The file of weights '" + path.string() + "' cannot be opened.");
  std::array<char, kHead> bytes{};
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

enum class WeightsKind { kSafetensors, kTorch };

/// Throws WeightsError for what is neither.
WeightsKind kind_of(const std::filesystem::path& path) {
  const std::string head = head_of(path);
  constexpr std::string_view kZip = "PK\x03\x04";
  // A pickle of protocol 2 with the number that torch.save began with: the format before PyTorch 1.6.
  constexpr std::string_view kOldTorch = "\x80\x02\x8a\x0a";
  if (head.starts_with(kZip)) return WeightsKind::kTorch;
  if (head.starts_with(kOldTorch)) {
    throw WeightsError("'" + path.string() +
                       "' is in the format of torch.save before PyTorch 1.6; in Python, torch.save(torch.load(FILE), "
                       "NEW) makes one that is read.");
  }
  // The length of its header, eight bytes, and then the header.
  if (head.size() == kHead && head.back() == '{') return WeightsKind::kSafetensors;
  throw WeightsError("'" + path.string() + "' is neither a safetensors file nor one of torch.save.");
}

}  // namespace

SavedWeights read_saved_weights(const std::filesystem::path& path) {
  return kind_of(path) == WeightsKind::kTorch ? read_torch_file(path) : read_safetensors(path);
}

SavedWeights read_saved_tensors(const std::filesystem::path& path) {
  return kind_of(path) == WeightsKind::kTorch ? read_torch_tensors(path) : read_safetensors(path);
}

WeightsFacts read_weights_facts(const std::filesystem::path& path) {
  return kind_of(path) == WeightsKind::kTorch ? read_torch_facts(path) : read_safetensors_facts(path);
}

}  // namespace negatron
