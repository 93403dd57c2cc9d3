#include "samplers/pass/cuda/cuda_run.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "samplers/pass/cuda/scan_shape.h"

namespace negatron {
namespace {

static_assert(sizeof(ScanExclusion) == 2 * sizeof(std::int32_t), "exclusions_ holds pairs");

const std::uint16_t* bf16_data(const at::Tensor& tensor) {
  return static_cast<const std::uint16_t*>(tensor.const_data_ptr());
}

const float* data_or_null(const at::Tensor& numbers) {
  return numbers.defined() ? numbers.const_data_ptr<float>() : nullptr;
}

float* writable_or_null(const at::Tensor& numbers) {
  return numbers.defined() ? numbers.data_ptr<float>() : nullptr;
}

/// What a thread block does before its first tile and after its last, in tiles.
constexpr std::int64_t kTilesToStart = 3;

std::int64_t ceil_divide(std::int64_t value, std::int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace

std::int32_t slice_count(std::int64_t tiles, std::int64_t blocks, std::int64_t concurrent) {
  // Rounds of thread blocks times what one takes. 1024 tiles, 2 blocks of queries, 132 thread blocks at a time: 64
  // slices are 128 thread blocks of 16 tiles, one round, time 19. 66 slices take as long, and need more merging; 132
  // slices are two rounds of 8 + 3 tiles, time 22.
  const auto time = [&](std::int64_t slices) {
    return ceil_divide(blocks * slices, concurrent) * (ceil_divide(tiles, slices) + kTilesToStart);
  };
  std::int64_t best = 1;
  for (std::int64_t slices = 2; slices <= std::min(tiles, concurrent); ++slices) {
    if (time(slices) < time(best)) best = slices;
  }
  // Without slices that the rounding left empty.
  return static_cast<std::int32_t>(ceil_divide(tiles, ceil_divide(tiles, best)));
}

CudaRun::CudaRun(const ScanDevice& device, const Rows& rows, const PassRequest& request, int parts)
    : device_(device), rows_(rows), request_(request), numbers_(rows.vectors.options().dtype(at::kFloat)) {
  rows_.vectors = rows.vectors.detach().contiguous();
  if (request.bias.defined()) bias_ = request.bias.detach().to(numbers_).contiguous();
  if (rows.validity.defined()) validity_ = rows.validity.contiguous();
  scan_.rows = bf16_data(rows_.vectors);
  scan_.row_count = static_cast<std::int32_t>(rows_.vectors.size(0));
  scan_.width = static_cast<int>(rows_.vectors.size(1));
  scan_.bias = data_or_null(bias_);
  scan_.validity = data_or_null(validity_);
  // Best rows alone come from a scan whose one term, of scale 0, nobody reads.
  scan_.terms = std::max(1, static_cast<int>(request.terms.size()));
  for (std::size_t i = 0; i < request.terms.size(); ++i) {
    scan_.log2_scales[i] = static_cast<float>(request.terms[i].scale * std::numbers::log2e);
  }
  place_queries(parts);
  if (request.candidates.exclusions.defined() && request.candidates.exclusions.size(0) > 0) place_exclusions();
  divide();
  if (request.best == 0) return;
  const at::Tensor excluded = exclusions_ ? exclusions_->pairs() : at::Tensor();
  shortlists_.emplace(device_, rows_, ScannedQueries{request.candidates.queries.detach(), queries_, excluded},
                      request.best);
  filter(shortlists_->thresholds(), shortlists_->capacity(), noted_);
}

void CudaRun::place_queries(int parts) {
  const at::Tensor queries = request_.candidates.queries.detach();
  const at::Tensor first = queries.to(at::kBFloat16);
  // [parts, Q, d]; the second part is what rounding to the first has left.
  queries_ = parts > 1 ? at::stack({first, (queries - first).to(at::kBFloat16)}) : first.unsqueeze(0).contiguous();
  norms_ = at::linalg_vector_norm(queries, 2, {1});
  // The scan holds addresses only: all tensors that it reads or writes are members, and live until the run is over.
  scan_.queries = bf16_data(queries_);
  scan_.parts = static_cast<int>(queries_.size(0));
  scan_.query_count = static_cast<std::int32_t>(queries.size(0));
  scan_.query_norms = norms_.const_data_ptr<float>();
}

void CudaRun::place_exclusions() {
  exclusions_ =
      DeviceExclusions::of(request_.candidates.exclusions, scan_.query_count, scan_.row_count, numbers_.device());
  excluded_begin_ = exclusions_->chunk_begins(tile_count(scan_) * (kScanTileRows / kScanChunkRows), kScanChunkRows);
  scan_.excluded = reinterpret_cast<const ScanExclusion*>(exclusions_->pairs().const_data_ptr<std::int32_t>());
  scan_.excluded_begin = excluded_begin_.const_data_ptr<std::int32_t>();
}

void CudaRun::divide() {
  std::int64_t block_queries = 0;
  with_scan_shape(scan_.width, scan_.terms, [&]<class Shape>(Shape) { block_queries = Shape::kQueries; });
  const std::int64_t blocks = (scan_.query_count + block_queries - 1) / block_queries;
  const std::int32_t tiles = tile_count(scan_);
  const std::int32_t slices = slice_count(tiles, blocks, device_.concurrent_blocks(scan_));
  scan_.slices = slices;
  scan_.tiles_a_slice = static_cast<std::int32_t>((tiles + slices - 1) / slices);
  // Slices do not meet in the scan, so nothing is added up in an order that a device's scheduler chooses: each writes
  // its own partial, and the merge goes through them in order.
  references_ = at::empty({slices, scan_.terms, scan_.query_count}, numbers_);
  masses_ = at::empty_like(references_);
  sums_ = at::empty({slices, scan_.terms, scan_.query_count, scan_.width}, numbers_);
  maxima_ = at::empty({slices, scan_.query_count}, numbers_);
  scan_.references = references_.data_ptr<float>();
  scan_.masses = masses_.data_ptr<float>();
  scan_.sums = sums_.data_ptr<float>();
  scan_.maxima = maxima_.data_ptr<float>();
}

void CudaRun::filter(const at::Tensor& thresholds, std::int64_t capacity, FilteredRows& filtered) {
  thresholds_ = thresholds.detach().contiguous();
  filtered.scores = at::empty({scan_.query_count, capacity}, numbers_);
  filtered.rows = at::empty({scan_.query_count, capacity}, numbers_.dtype(at::kInt));
  filtered.counts = at::zeros({scan_.query_count}, numbers_.dtype(at::kInt));
  scan_.filter.thresholds = thresholds_.const_data_ptr<float>();
  scan_.filter.capacity = static_cast<std::int32_t>(capacity);
  scan_.filter.scores = filtered.scores.data_ptr<float>();
  scan_.filter.rows = filtered.rows.data_ptr<std::int32_t>();
  scan_.filter.counts = filtered.counts.data_ptr<std::int32_t>();
}

PassResult CudaRun::run() {
  PassResult result = empty_result(request_);
  device_.scan(scan_);
  device_.merge(merge_into(result));
  for (std::size_t i = 0; i < request_.terms.size(); ++i) {
    // Also over no row: -infinity stays what it is.
    result.terms[i].value.add_(term_offset(request_.terms[i], request_.candidates.queries.detach()).squeeze(1));
  }
  result.count = count();
  if (shortlists_) {
    const DeviceShortlists::Best best = shortlists_->best(noted_);
    result.best = best.keys;
    open_queries_ = best.known.logical_not().nonzero().squeeze(1);
  }
  return result;
}

SliceMerge CudaRun::merge_into(PassResult& result) const {
  SliceMerge merge;
  merge.query_count = scan_.query_count;
  merge.width = scan_.width;
  merge.terms = static_cast<int>(request_.terms.size());
  merge.slices = scan_.slices;
  merge.references = scan_.references;
  merge.masses = scan_.masses;
  merge.sums = scan_.sums;
  merge.maxima = scan_.maxima;
  for (std::size_t i = 0; i < request_.terms.size(); ++i) {
    const TermResult& own = result.terms[i];
    merge.scales[i] = static_cast<float>(request_.terms[i].scale);
    merge.values[i] = own.value.data_ptr<float>();
    merge.gradients[i] = writable_or_null(own.gradient);
    merge.slopes[i] = writable_or_null(own.slope);
  }
  merge.largest = writable_or_null(result.max);
  return merge;
}

/// [Q] valid rows without those excluded.
at::Tensor CudaRun::count() const {
  std::int64_t valid = 0;
  for (const Leaf& leaf : rows_.leaves) valid += leaf.valid;
  const at::Tensor count = at::full({scan_.query_count}, valid, numbers_.dtype(at::kLong));
  return exclusions_ ? count - exclusions_->count(scan_.query_count) : count;
}

}  // namespace negatron
