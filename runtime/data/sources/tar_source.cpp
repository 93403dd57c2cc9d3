#include "runtime/data/sources/tar_source.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/folder_listing.h"
#include "runtime/data/sources/read_file.h"
#include "runtime/data/sources/shard_names.h"
#include "runtime/data/sources/tar_index.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

constexpr const char* kTrainShards = "train";
constexpr const char* kTestShards[] = {"val", "validation", "test"};
constexpr std::int64_t kMostMemberBytes = std::int64_t{1} << 30;

/// Image files in tar archives.
class TarFiles : public EncodedFiles {
 public:
  explicit TarFiles(const std::vector<std::filesystem::path>& shards) : shards_(shards) {
    std::string names_and_sizes;
    for (const std::filesystem::path& shard : shards) {
      const std::vector<TarSample> samples = tar_samples(shard);
      samples_.insert(samples_.end(), samples.begin(), samples.end());
      ends_.push_back(size());
      std::error_code error;
      names_and_sizes +=
          shard.filename().string() + " " + std::to_string(std::filesystem::file_size(shard, error)) + "\n";
    }
    fingerprint_ = std::to_string(size()) + " images in " + std::to_string(shards.size()) +
                   " tar archives whose names and sizes have the digest " + digest_of(names_and_sizes);
    samples_.shrink_to_fit();
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  std::vector<std::uint8_t> bytes(std::int64_t id) const override {
    const TarSample& sample = samples_[static_cast<std::size_t>(id)];
    if (sample.size == 0) throw DataError("Image " + name(id) + " is empty.");
    if (sample.size > kMostMemberBytes) throw DataError("Image " + name(id) + " is larger than any image: over 1 GiB.");
    return ReadFile(shard_of(id)).read(sample.offset, sample.size);
  }
  std::string name(std::int64_t id) const override {
    // Names are not kept: the place finds the member as well.
    return shard_of(id).string() + " at byte " + std::to_string(samples_[static_cast<std::size_t>(id)].offset);
  }
  std::string fingerprint() const override { return fingerprint_; }
  std::int64_t bytes_of_index() const override {
    return static_cast<std::int64_t>(samples_.capacity() * sizeof(TarSample));
  }

  /// Undefined where no sample has one. Throws where only some have.
  at::Tensor labels() const {
    const auto has_label = [](const TarSample& sample) { return sample.label != kNoTarLabel; };
    const auto labelled = std::count_if(samples_.begin(), samples_.end(), has_label);
    if (labelled == 0) return {};
    const auto without = std::find_if_not(samples_.begin(), samples_.end(), has_label);
    if (without != samples_.end()) {
      throw DataError("Image " + name(without - samples_.begin()) + " has no label, but " + std::to_string(labelled) +
                      " others have.");
    }
    at::Tensor labels = at::empty({size()}, at::kLong);
    std::transform(samples_.begin(), samples_.end(), labels.mutable_data_ptr<std::int64_t>(),
                   [](const TarSample& sample) { return sample.label; });
    return labels;
  }

 private:
  const std::filesystem::path& shard_of(std::int64_t id) const {
    return shards_[static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), id) - ends_.begin())];
  }

  std::vector<std::filesystem::path> shards_;
  /// One behind the last image of each shard.
  std::vector<std::int64_t> ends_;
  std::vector<TarSample> samples_;
  std::string fingerprint_;
};

EncodedImages open_shards(const std::filesystem::path& path, const SourceOptions& options) {
  const auto files = std::make_shared<const TarFiles>(shard_paths(path));
  return {files, {files->labels(), {}}, options};
}

/// The folder of the test part; empty where there is none.
std::filesystem::path test_shards(const std::filesystem::path& folder) {
  if (shard_paths(folder / kTrainShards).empty()) return {};
  for (const char* name : kTestShards) {
    if (!shard_paths(folder / name).empty()) return folder / name;
  }
  return {};
}

std::filesystem::path training_shards(const std::filesystem::path& path) {
  return shard_paths(path).empty() ? path / kTrainShards : path;
}

}  // namespace

TarSource::TarSource(const SourceOptions& options)
    : EncodedImages(open_shards(training_shards(options.path), options)), options_(options) {}

SourceDescription TarSource::describe() {
  return {"tar", "WebDataset's shards: a folder of .tar files, or a pattern such as shard-{000..099}.tar"};
}

bool TarSource::recognises(const std::filesystem::path& path) {
  const bool has_shards = !shard_paths(path).empty() || !shard_paths(path / kTrainShards).empty();
  // An archive beside images may be anything: of the two kinds a folder of images is meant.
  return has_shards && !holds_images(path);
}

void TarSource::prepare(const SourceOptions& options) {
  for (const std::filesystem::path& shard : shard_paths(training_shards(options.path))) tar_samples(shard);
  const std::filesystem::path test = test_shards(options.path);
  if (test.empty()) return;
  for (const std::filesystem::path& shard : shard_paths(test)) tar_samples(shard);
}

std::shared_ptr<const ImageSource> TarSource::test_part() const {
  const std::filesystem::path folder = test_shards(options_.path);
  if (folder.empty()) return nullptr;
  SourceOptions same = options_;
  same.channels = channels();
  return std::make_shared<const EncodedImages>(open_shards(folder, same));
}

}  // namespace negatron
