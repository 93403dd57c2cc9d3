#include "runtime/data/measured_normalization.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "comm/share.h"
#include "comm/together.h"

namespace negatron {
namespace {

constexpr std::int64_t kByteValues = 256;
/// Of images that must be read and decoded.
constexpr std::int64_t kMostDecoded = 1024;
/// Rows are read in microseconds, and features differ more than pixels do.
constexpr std::int64_t kMostFeatureRows = 10000;

/// How many samples are looked at.
std::int64_t measured_samples(const ImageSource& source) {
  if (source.size() == 0) throw std::invalid_argument("A normalisation cannot be measured without images.");
  if (source.bytes_in_memory() > 0) return source.size();
  return std::min(source.size(), source.gives_features() ? kMostFeatureRows : kMostDecoded);
}

/// Numbers of the samples `part` of those that are looked at, evenly spaced over the whole: files are often sorted by
/// class.
at::Tensor spaced_ids(const ImageSource& source, const Range& part) {
  return (at::arange(part.begin, part.end, at::kLong) * source.size()).floor_divide(measured_samples(source));
}

/// Adds how often each value of a byte occurs: images [n, C, h, w] uint8; counts [C, 256] int64.
void count_values(const at::Tensor& images, at::Tensor& counts) {
  for (std::int64_t channel = 0; channel < counts.size(0); ++channel) {
    counts[channel].add_(at::bincount(images.select(1, channel).reshape({-1}), {}, kByteValues));
  }
}

/// [C, 256] int64 of the samples `part`: counts are exact, so that those of all ranks add up to the same.
at::Tensor value_counts(const ImageSource& source, const Range& part) {
  at::Tensor counts = at::zeros({source.channels(), kByteValues}, at::kLong);
  const std::int64_t together = loaded_together(source);
  for (std::int64_t begin = part.begin; begin < part.end; begin += together) {
    const DecodedImages images = source.load(spaced_ids(source, {begin, std::min(begin + together, part.end)}));
    if (images.have_one_size()) {
      count_values(images.together(), counts);
      continue;
    }
    for (std::int64_t i = 0; i < images.size(); ++i) count_values(images.image(i), counts);
  }
  return counts;
}

/// The deviation of that variance; a constant picture has nothing to scale.
double deviation_of(double variance) {
  return variance > 0 ? std::sqrt(variance) : 1.0;
}

Normalization of_counts(const at::Tensor& all_counts) {
  const at::Tensor values = at::arange(kByteValues, at::kDouble) / kByteMax;
  std::vector<double> means, deviations;
  for (std::int64_t channel = 0; channel < all_counts.size(0); ++channel) {
    const at::Tensor counts = all_counts[channel].to(at::kDouble);  // [256]
    const double total = counts.sum().item<double>();
    const double mean = (counts * values).sum().item<double>() / total;
    const double variance = (counts * (values - mean).square()).sum().item<double>() / total;
    means.push_back(mean);
    deviations.push_back(deviation_of(variance));
  }
  return {std::move(means), std::move(deviations)};
}

/// Sum over all rows that are looked at of (row - centre)^power, [F]. Row after row: a sum that a library splits over
/// threads would be another one where ranks have more of them.
at::Tensor row_sums(const ImageSource& source, const at::Tensor& centre, int power) {
  const std::int64_t measured = measured_samples(source), together = loaded_together(source);
  at::Tensor sums = at::zeros({source.channels()}, at::kDouble);
  for (std::int64_t begin = 0; begin < measured; begin += together) {
    const DecodedImages loaded = source.load(spaced_ids(source, {begin, std::min(begin + together, measured)}));
    const at::Tensor rows = loaded.together().flatten(1) - centre;  // [n, F]
    for (std::int64_t i = 0; i < rows.size(0); ++i) sums.add_(power == 1 ? rows[i] : rows[i].square());
  }
  return sums;
}

Normalization of_features(const ImageSource& source) {
  const auto measured = static_cast<double>(measured_samples(source));
  const at::Tensor mean = row_sums(source, at::zeros({source.channels()}, at::kDouble), 1) / measured;
  const at::Tensor variance = row_sums(source, mean, 2) / measured;
  const auto* means = mean.const_data_ptr<double>();
  std::vector<double> deviations;
  for (std::int64_t i = 0; i < variance.numel(); ++i) deviations.push_back(deviation_of(variance[i].item<double>()));
  return {std::vector<double>(means, means + mean.numel()), std::move(deviations)};
}

}  // namespace

Normalization measured_normalization(const ImageSource& source) {
  if (source.gives_features()) return of_features(source);
  return of_counts(value_counts(source, {0, measured_samples(source)}));
}

Normalization measured_normalization(const ImageSource& source, Communicator& comm) {
  Normalization features;
  at::Tensor counts;
  together(comm, [&] {
    if (source.gives_features()) {
      features = of_features(source);
    } else {
      counts = value_counts(source, share(measured_samples(source), comm.size(), comm.rank()));
    }
  });
  if (source.gives_features()) return features;
  comm.all_reduce(counts, ReduceOp::kSum);
  return of_counts(counts);
}

}  // namespace negatron
