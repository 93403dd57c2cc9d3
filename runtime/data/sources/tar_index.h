#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace negatron {

/// An image in a shard.
struct TarSample {
  /// Of its bytes, in the archive.
  std::int64_t offset = 0;
  std::int64_t size = 0;
  /// kNoTarLabel for none.
  std::int64_t label = 0;
};
inline constexpr std::int64_t kNoTarLabel = -1;

/// The images of a WebDataset shard, in their order. Members that follow each other and have one name up to the first
/// dot are a sample; its image is the member .jpg, .jpeg, .png or .webp, its label the number in .cls, or that of
/// "label" or "cls" in .json. Samples without an image are passed over.
///
/// What is found is kept in PATH.index, which is believed while size and time of change of the shard are those that it
/// names, so that a shard is gone through once. Where it cannot be written, nothing is kept. Several processes may do
/// this at a time. Local. Throws DataError naming the shard.
std::vector<TarSample> tar_samples(const std::filesystem::path& path);

}  // namespace negatron
