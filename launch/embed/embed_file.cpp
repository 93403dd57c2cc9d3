#include "launch/embed/embed_file.h"

#include <algorithm>
#include <span>

#include "launch/exit_code.h"
#include "runtime/matrices/write_npy.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

bool is_npy(const fs::path& path) {
  return path.extension() == ".npy";
}

/// The bytes of all rows, a round at a time; what is known of them by number is kept.
class RowBytes {
 public:
  explicit RowBytes(FeatureRounds& rounds) : rounds_(rounds) { take_round(); }

  std::int64_t width() const { return rows_.size(1); }
  std::span<const std::byte> next(std::size_t at_most) {
    if (used_ == rows_.nbytes()) take_round();
    const std::size_t count = std::min(at_most, rows_.nbytes() - used_);
    const auto* begin = static_cast<const std::byte*>(rows_.const_data_ptr()) + used_;
    used_ += count;
    return {begin, count};
  }
  /// Of all rows that were given.
  at::Tensor ids() const { return at::cat(ids_); }
  at::Tensor labels() const { return at::cat(labels_); }

 private:
  void take_round() {
    const FeatureRound round = rounds_.next();
    rows_ = round.rows.contiguous();
    used_ = 0;
    ids_.push_back(round.ids);
    labels_.push_back(round.labels);
  }

  FeatureRounds& rounds_;
  at::Tensor rows_;
  std::size_t used_ = 0;
  std::vector<at::Tensor> ids_;
  std::vector<at::Tensor> labels_;
};

void write_numbers(FileLayer& files, const fs::path& path, const at::Tensor& numbers, Existing existing) {
  const auto write = [&](const fs::path& partial) {
    write_npy(files, partial, at::kLong, {numbers.size(0)}, bytes_of_tensor(numbers));
  };
  write_then_rename(files, path, write, existing);
}

void write_embed_hdf5(FileLayer& files, const fs::path& path, const EmbedTarget& target,
                      const std::vector<std::int64_t>& shape, RowBytes& rows) {
  Hdf5Layout plan;
  plan.datasets.push_back(
      {target.dataset, at::kFloat, shape, false, [&](std::size_t most) { return rows.next(most); }});
  at::Tensor numbers;
  // Asked for when all rows have been written.
  const auto column = [&](bool labels) {
    return [&rows, &numbers, labels, next = ByteSource()](std::size_t most) mutable {
      if (!next) {
        numbers = labels ? rows.labels() : rows.ids();
        next = bytes_of_tensor(numbers);
      }
      return next(most);
    };
  };
  plan.datasets.push_back({"ids", at::kLong, {shape.front()}, false, column(false)});
  if (target.has_labels) plan.datasets.push_back({"labels", at::kLong, {shape.front()}, false, column(true)});
  plan.attributes = target.attributes;
  write_hdf5(files, path, plan, FileWriting{});
}

}  // namespace

std::vector<fs::path> files_of(const EmbedTarget& target) {
  const fs::path ending = target.path.extension();
  if (ending == ".h5" || ending == ".hdf5") return {target.path};
  if (!is_npy(target.path)) {
    throw UsageError("'" + target.path.string() + "' ends in neither .npy nor .h5, which say what is to be written.");
  }
  std::vector<fs::path> paths = {target.path, npy_beside(target.path, "ids")};
  if (target.has_labels) paths.push_back(npy_beside(target.path, "labels"));
  return paths;
}

std::vector<std::int64_t> write_rounds(FileLayer& files, const EmbedTarget& target, std::int64_t images,
                                       FeatureRounds& rounds) {
  std::vector<std::int64_t> shape;
  write_then_rename(
      files, target.path,
      [&](const fs::path& partial) {
        RowBytes rows(rounds);
        shape = {images, rows.width()};
        if (!is_npy(target.path)) {
          write_embed_hdf5(files, partial, target, shape, rows);
          return;
        }
        write_npy(files, partial, at::kFloat, shape, [&](std::size_t most) { return rows.next(most); });
        write_numbers(files, npy_beside(target.path, "ids"), rows.ids(), target.existing);
        if (target.has_labels) {
          write_numbers(files, npy_beside(target.path, "labels"), rows.labels(), target.existing);
        }
      },
      target.existing);
  return shape;
}

}  // namespace negatron
