#include "runtime/data/sources/hdf5_parts.h"

#include <fstream>
#include <string_view>
#include <system_error>

#include "runtime/data/sources/checked_labels.h"

namespace negatron {
namespace {

constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1a\n";
constexpr const char* kLabelNames[] = {"labels", "label", "y", "Y", "targets"};
constexpr const char* kTrainGroup = "train";
constexpr const char* kTestGroups[] = {"test", "val"};

}  // namespace

bool begins_like_hdf5(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string first(kHdf5Magic.size(), '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  return file && first == kHdf5Magic;
}

std::string first_dataset(const Hdf5Reader& file, const std::string& group, DatasetNames names) {
  for (const char* name : names) {
    if (file.has(group + name)) return group + name;
  }
  return {};
}

bool holds_images(const Hdf5Reader& file, const std::string& group) {
  constexpr std::size_t kGrey = 3, kWithChannels = 4;
  for (const char* name : kImageNames) {
    if (!file.has(group + name)) continue;
    const Hdf5Reader::Dataset found = file.dataset(group + name);
    if (found.dtype == at::kByte && (found.shape.size() == kGrey || found.shape.size() == kWithChannels)) return true;
  }
  return false;
}

std::string training_group(const Hdf5Reader& file, DatasetNames names) {
  const bool has_train = file.has(kTrainGroup) && first_dataset(file, "", names).empty();
  return has_train ? std::string(kTrainGroup) + "/" : std::string();
}

std::string test_group(const Hdf5Reader& file, const std::string& group, DatasetNames names) {
  if (group != std::string(kTrainGroup) + "/") return {};
  for (const char* name : kTestGroups) {
    const std::string other = std::string(name) + "/";
    if (file.has(name) && !first_dataset(file, other, names).empty()) return other;
  }
  return {};
}

at::Tensor hdf5_labels(const Hdf5Reader& file, const std::filesystem::path& path, const std::string& group,
                       std::int64_t samples) {
  const std::string dataset = first_dataset(file, group, kLabelNames);
  if (dataset.empty()) return {};
  const std::string name = "'" + dataset + "' of the data file '" + path.string() + "'";
  // Masks of images may bear the same name, and take more than a machine has.
  const Hdf5Reader::Dataset found = file.dataset(dataset);
  require_label_shape(found.shape, found.dtype, samples, name);
  return checked_labels(file.read(dataset), samples, name);
}

}  // namespace negatron
