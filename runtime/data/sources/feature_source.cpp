#include "runtime/data/sources/feature_source.h"

#include <algorithm>
#include <system_error>

#include "runtime/data/data_error.h"
#include "runtime/data/sources/checked_labels.h"
#include "runtime/data/sources/hdf5_parts.h"
#include "runtime/matrices/npy_file.h"
#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

constexpr const char* kFeatureNames[] = {"features", "embeddings", "x", "X", "data"};
constexpr const char* kNpyEnding = ".npy";
constexpr const char* kNpyLabelsEnding = ".labels.npy";

/// Links are followed, as for all data.
std::filesystem::path real_path(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? path : real;
}

bool is_file_of_npy(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && begins_like_npy(PosixFileLayer(), real_path(path));
}

/// "a/x.npy" -> "a/x.labels.npy"
std::filesystem::path labels_path(const std::filesystem::path& path) {
  std::filesystem::path labels = path;
  if (labels.extension() == kNpyEnding) labels.replace_extension();
  labels += kNpyLabelsEnding;
  return labels;
}

/// Whether an HDF5 file has features, by names, types and shapes.
bool holds_features(const std::filesystem::path& path) {
  const Hdf5Reader file(path, Hdf5Filters::kBuiltIn);
  const std::string group = training_group(file, kFeatureNames);
  const std::string dataset = first_dataset(file, group, kFeatureNames);
  if (dataset.empty() || holds_images(file, group)) return false;
  const Hdf5Reader::Dataset found = file.dataset(dataset);
  return found.shape.size() == 2 && at::isFloatingType(found.dtype);
}

/// Of the bytes of some rows, evenly spaced: matrices of other features have the same size.
std::string some_rows_digest(const MatrixFile& rows) {
  constexpr std::int64_t kLooks = 16;
  const std::int64_t looks = std::min(kLooks, rows.rows());
  std::string seen;
  for (std::int64_t look = 0; look < looks; ++look) {
    try {
      const at::Tensor row = rows.read_rows(look * rows.rows() / looks, 1).contiguous();
      seen.append(static_cast<const char*>(row.const_data_ptr()), row.nbytes());
    } catch (const SnapshotError&) {
      // A broken row, which is told when its turn comes.
      seen += '?';
    }
  }
  return digest_of(seen);
}

}  // namespace

FeatureSource::FeatureSource(const SourceOptions& options) : FeatureSource(options.path, "") {}

FeatureSource::FeatureSource(const std::filesystem::path& path, const std::string& group) : path_(path), group_(group) {
  as_data([&] {
    if (is_file_of_npy(path_)) {
      open_npy();
    } else {
      open_hdf5();
    }
  });
  // Now, while all ranks open their data together: later a file that one of them cannot read would leave the others
  // waiting.
  fingerprint_ = std::to_string(size()) + " rows of " + std::to_string(channels()) +
                 " features, of which some have the digest " + some_rows_digest(*rows_);
}

void FeatureSource::open_npy() {
  const PosixFileLayer files;
  rows_ = open_matrix(files, real_path(path_), {});
  if (rows_->means_transpose()) {
    throw DataError("Data file '" + path_.string() +
                    "' lies in Fortran order, column by column; numpy.ascontiguousarray before numpy.save makes rows.");
  }
  const std::filesystem::path labels = labels_path(path_);
  std::error_code error;
  if (!std::filesystem::exists(labels, error)) return;
  labels_ = checked_labels(read_npy_integers(files, real_path(labels)), size(), "Data file '" + labels.string() + "'");
}

void FeatureSource::open_hdf5() {
  const Hdf5Reader file(path_, Hdf5Filters::kBuiltIn);
  if (group_.empty()) group_ = training_group(file, kFeatureNames);
  const std::string dataset = first_dataset(file, group_, kFeatureNames);
  if (dataset.empty()) {
    throw DataError("Data file '" + path_.string() +
                    "' has no dataset 'features', nor 'embeddings', 'x', 'X' or 'data'.");
  }
  rows_ = open_matrix(PosixFileLayer(), real_path(path_), {.name = dataset, .filters = Hdf5Filters::kBuiltIn});
  labels_ = hdf5_labels(file, path_, group_, size());
}

DecodedImages FeatureSource::load(const at::Tensor& ids) const {
  const at::Tensor wanted = ids.contiguous();
  const auto* numbers = wanted.const_data_ptr<std::int64_t>();
  const at::Tensor features = at::empty({wanted.numel(), channels()}, at::kDouble);
  as_data([&] {
    for (std::int64_t begin = 0, end = 0; begin < wanted.numel(); begin = end) {
      // Rows that follow each other, as evaluation asks for them, are read together.
      do ++end;
      while (end < wanted.numel() && numbers[end] == numbers[begin] + (end - begin));
      features.narrow(0, begin, end - begin).copy_(rows_->read_rows(numbers[begin], end - begin));
    }
  });
  const at::Tensor broken = at::isfinite(features).all(1).logical_not().nonzero();
  if (broken.numel() > 0) {
    throw DataError("Row " + std::to_string(numbers[broken[0].item<std::int64_t>()]) + " of the data file '" +
                    path_.string() + "' holds a number that is not finite.");
  }
  return features.view({wanted.numel(), channels(), 1, 1});
}

std::shared_ptr<const ImageSource> FeatureSource::test_part() const {
  if (group_.empty()) return nullptr;
  const std::string other =
      as_data([&] { return test_group(Hdf5Reader(path_, Hdf5Filters::kBuiltIn), group_, kFeatureNames); });
  if (other.empty()) return nullptr;
  return std::shared_ptr<const ImageSource>(new FeatureSource(path_, other));
}

std::int64_t FeatureSource::bytes_of_index() const {
  return labels_.defined() ? static_cast<std::int64_t>(labels_.nbytes()) : 0;
}

SourceDescription FeatureSource::describe() {
  return {"features", "a .npy file, or an HDF5 file with a dataset 'features', of numbers [n, F], and perhaps labels"};
}

bool FeatureSource::recognises(const std::filesystem::path& path) {
  try {
    return is_file_of_npy(path) || (begins_like_hdf5(path) && holds_features(path));
  } catch (const SnapshotError&) {
    // What is wrong with it, the kind that its first bytes name says.
    return false;
  }
}

}  // namespace negatron
