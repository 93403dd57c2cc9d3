#include "runtime/bank_files/bank_info.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "comm/threads/thread_communicator.h"
#include "runtime/bank_files/row_norms.h"
#include "runtime/evaluation/alignment_uniformity.h"
#include "samplers/bank/row_geometry.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

constexpr std::int64_t kAgeBins = 10;

/// How many rows have which age. Keys of a queue have that of their batch, which the manifest tells; rows that
/// stay have ages of their own.
class Ages {
 public:
  explicit Ages(const OpenBank& bank)
      : rows_stay_(rows_stay(bank.bank().kind)), now_(bank.manifest.step), layout_(bank.layout()) {
    if (rows_stay_) return;
    for (const BankBatch& batch : layout_.batches()) {
      count(batch.step, batch.end() - std::max(batch.start, layout_.floor()));
    }
  }

  void add(const BankBlock& block) {
    if (!rows_stay_) return;
    const auto* step = block.steps.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < block.steps.numel(); ++i) count(step[i], 1);
  }

  void give(BankInfo& info) const {
    info.rows_without_step = without_step_;
    if (rows_of_age_.empty()) return;
    const std::int64_t youngest = rows_of_age_.begin()->first;
    // Example: ages 0 to 25 give 25 / 10 + 1 = 3, so bins 0-2, 3-5, ... 24-26: nine of them. Ages 3 to 12 give ten of
    // width 1.
    const std::int64_t width = (rows_of_age_.rbegin()->first - youngest) / kAgeBins + 1;
    double sum = 0.0;
    std::int64_t aged = 0;
    for (const auto& [age, rows] : rows_of_age_) {
      const std::int64_t first = youngest + (age - youngest) / width * width;
      if (info.ages.empty() || info.ages.back().first != first) info.ages.push_back({first, first + width - 1, 0});
      info.ages.back().rows += rows;
      sum += static_cast<double>(age) * static_cast<double>(rows);
      aged += rows;
    }
    info.mean_age = sum / static_cast<double>(aged);
  }

 private:
  void count(std::int64_t step, std::int64_t rows) {
    if (step < 0) {
      without_step_ += rows;
    } else {
      rows_of_age_[now_ - step] += rows;
    }
  }

  bool rows_stay_;
  std::int64_t now_;
  BankLayout layout_;
  std::map<std::int64_t, std::int64_t> rows_of_age_;
  std::int64_t without_step_ = 0;
};

void count_labels(const BankBlock& block, BankInfo& info) {
  const auto* label = block.labels.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < block.labels.numel(); ++i) {
    if (label[i] < 0) {
      ++info.rows_without_label;
    } else if (!info.many_labels) {
      ++info.labels[label[i]];
    }
  }
  if (info.labels.size() > BankInfo::kMostLabels) {
    info.many_labels = true;
    info.labels.clear();
  }
}

class Norms {
 public:
  void add(const at::Tensor& vectors) {
    const at::Tensor norms = row_norms(vectors);
    const auto* norm = norms.const_data_ptr<double>();
    for (std::int64_t i = 0; i < norms.numel(); ++i) {
      if (std::isnan(norm[i])) {
        ++not_finite_;
      } else {
        ++finite_;
        sum_ += norm[i];
        least_ = std::min(least_, norm[i]);
        most_ = std::max(most_, norm[i]);
      }
    }
  }

  void give(BankInfo& info) const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    info.norm_min = finite_ > 0 ? least_ : kNone;
    info.norm_mean = finite_ > 0 ? sum_ / static_cast<double>(finite_) : kNone;
    info.norm_max = finite_ > 0 ? most_ : kNone;
    info.rows_not_finite = not_finite_;
  }

 private:
  std::int64_t finite_ = 0;
  std::int64_t not_finite_ = 0;
  double sum_ = 0.0;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = 0.0;
};

/// `count` of the numbers [range.begin, range.end), each set with equal chance (Floyd's algorithm).
std::set<std::int64_t> draw_without_replacement(Range range, std::int64_t count, std::uint64_t seed) {
  std::set<std::int64_t> drawn;
  CounterRng random(seed, Purpose::kEvaluation, 0, 0);
  // Example: 2 of [0, 4). First one of 0 to 2, then one of 0 to 3; when that is there already, 3 takes its place, which
  // cannot be there before. {1, 3} is drawn as 1, then 1 or 3: 1/3 * 2/4. {0, 1} is drawn in two orders: 2 * 1/3 * 1/4.
  // Both are 1/6, as for each of the 6 sets.
  for (std::int64_t last = range.size() - count; last < range.size(); ++last) {
    const auto pick = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
    if (!drawn.insert(range.begin + pick).second) drawn.insert(range.begin + last);
  }
  return drawn;
}

/// Rows of the bank at the drawn sequence numbers.
class Sample {
 public:
  Sample(const OpenBank& bank, std::set<std::int64_t> drawn)
      : drawn_(std::move(drawn)),
        next_(drawn_.begin()),
        length_(bank.bank().length),
        rows_(at::empty({static_cast<std::int64_t>(drawn_.size()), vector_width(length_, bank.bank().width)},
                        at::kDouble)) {}

  void add(const BankBlock& block) {
    const auto begin = block.sequence[0].item<std::int64_t>();
    for (; next_ != drawn_.end() && *next_ < begin + block.sequence.numel(); ++next_) {
      const at::Tensor row = vectors_of_rows(block.vectors[*next_ - begin], length_).to(at::kDouble);
      rows_[taken_++].copy_(length_ == RowLength::kUnit ? row : unit_row(row));
    }
  }

  double uniformity() const {
    double value = 0.0;
    run_ranks(1, {}, [&](Communicator& comm) { value = negatron::uniformity(comm, rows_); });
    return value;
  }

 private:
  /// Of a row that has no direction, itself.
  static at::Tensor unit_row(const at::Tensor& row) {
    const at::Tensor norm = row.norm();
    return norm.item<double>() > 0.0 ? row / norm : row;
  }

  std::set<std::int64_t> drawn_;
  std::set<std::int64_t>::const_iterator next_;
  /// Of rows that have any length, the directions count.
  RowLength length_;
  at::Tensor rows_;
  std::int64_t taken_ = 0;
};

}  // namespace

BankInfo bank_info(const OpenBank& bank, const BankInfoOptions& options, BankMemory memory) {
  BankInfo info;
  for (const ManifestFile& file : bank.manifest.files) {
    info.snapshot_bytes += file.digest.bytes;
    if (file.name != kTrainerName) info.bank_bytes += file.digest.bytes;
  }
  const BankLayout layout = bank.layout();
  // The rows twice (uniformity gathers them), and for each the scores of one tile.
  constexpr std::int64_t kTileBytes = 512 * 4 * sizeof(double);
  const std::int64_t bytes_per_drawn = 2 * 8 * bank.bank().width + kTileBytes;
  info.uniformity_rows = std::min({layout.filled(), options.uniformity_rows, memory.left() / 2 / bytes_per_drawn});
  memory.reserve(info.uniformity_rows * bytes_per_drawn, "the sample of rows");
  Sample sample(bank, draw_without_replacement({layout.floor(), layout.head()}, info.uniformity_rows, options.seed));

  Ages ages(bank);
  Norms norms;
  const std::int64_t bytes_per_row = bank.bytes_while_reading() + kNormBytesPerElement * bank.bank().width;
  for_each_block(bank, memory.fitting(bytes_per_row), [&](const BankBlock& block) {
    ages.add(block);
    count_labels(block, info);
    info.rows_without_id += (block.ids < 0).sum().item<std::int64_t>();
    norms.add(vectors_of_rows(block.vectors, bank.bank().length));
    sample.add(block);
  });
  ages.give(info);
  norms.give(info);
  info.uniformity = sample.uniformity();
  return info;
}

}  // namespace negatron
