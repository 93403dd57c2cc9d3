#include "samplers/pass/fast_run.h"

#include <algorithm>
#include <cstring>

#include <ATen/Parallel.h>

#include "samplers/pass/partial_tree.h"
#include "samplers/pass/reduction_tree.h"
#include "samplers/pass/task_threads.h"

namespace negatron {
namespace {

/// Queries that meet a tile of rows while it is in the second-level cache: with d = 128 they take 128 KiB in fp32 and
/// their sums as much.
constexpr std::int64_t kQueryBlock = 256;
/// More tasks than threads, so that a thread that is held up does not hold up the others.
constexpr std::int64_t kTasksAThread = 4;

/// [n] fp32 in one piece, or undefined.
at::Tensor row_numbers(const at::Tensor& numbers) {
  return numbers.defined() ? numbers.detach().to(at::kFloat).contiguous() : at::Tensor();
}

/// The canonical nodes of one level, each a run of leaves.
std::vector<std::span<const Leaf>> nodes_of(std::span<const Leaf> leaves, int level) {
  std::vector<std::span<const Leaf>> nodes;
  for (std::size_t begin = 0, end = 0; begin < leaves.size(); begin = end) {
    while (end < leaves.size() && leaves[end].index >> level == leaves[begin].index >> level) ++end;
    nodes.push_back(leaves.subspan(begin, end - begin));
  }
  return nodes;
}

}  // namespace

FastRun::FastRun(const PassKernel& kernel, RowFormat format, const Rows& rows, const PassRequest& request)
    : kernel_(kernel),
      format_(format),
      request_(request),
      query_count_(request.candidates.queries.size(0)),
      vectors_(rows.vectors.detach().contiguous()),
      bias_(row_numbers(request.bias)),
      validity_(row_numbers(rows.validity)),
      exclusions_(request.candidates.exclusions, query_count_, rows.vectors.size(0)),
      queries_(request.candidates.queries.detach(), kernel, largest_scale(request.terms)),
      shape_(partial_shape(request, rows.vectors.size(1))),
      block_(kQueryBlock) {
  for (const Leaf& leaf : rows.leaves) {
    if (leaf.valid > 0) leaves_.push_back(leaf);
  }
}

PassResult FastRun::run() {
  if (leaves_.empty()) return empty_result(request_);
  split(at::get_num_threads());
  partial_size_ = block_vectors(0) * kernel_.lanes * shape_.size;
  partials_ = at::empty({blocks(), static_cast<std::int64_t>(nodes_.size()), partial_size_}, at::kFloat);
  // Node after node, so that threads that are at the same rows share them.
  share_out(blocks() * static_cast<std::int64_t>(nodes_.size()),
            [this](std::int64_t task) { scan_node(task % blocks(), task / blocks()); });
  PartialResults results(request_, kernel_, shape_);
  share_out(blocks(), [&](std::int64_t block) { merge_nodes(block, results); });
  std::int64_t valid = 0;
  for (const Leaf& leaf : leaves_) valid += leaf.valid;
  return results.take(valid - exclusions_.count(query_count_));
}

/// The fewest nodes, and then the largest blocks, that keep `threads` busy.
void FastRun::split(std::int64_t threads) {
  level_ = common_level(leaves_.front().index, leaves_.back().index);
  nodes_ = nodes_of(leaves_, level_);
  const std::int64_t wanted = threads == 1 ? 1 : threads * kTasksAThread;
  const auto tasks = [this] { return static_cast<std::int64_t>(nodes_.size()) * blocks(); };
  while (level_ > 0 && tasks() < wanted) nodes_ = nodes_of(leaves_, --level_);
  while (block_ > kernel_.lanes * kernel_.vectors && tasks() < threads) block_ /= 2;
}

std::int64_t FastRun::blocks() const {
  return (query_count_ + block_ - 1) / block_;
}

std::int64_t FastRun::block_vectors(std::int64_t block) const {
  return std::min(block_ / kernel_.lanes, queries_.vectors() - block * block_ / kernel_.lanes);
}

std::size_t FastRun::partial_bytes(std::int64_t block) const {
  return static_cast<std::size_t>(block_vectors(block) * kernel_.lanes * shape_.size) * sizeof(float);
}

float* FastRun::partial(std::int64_t block, std::int64_t node) const {
  return partials_.data_ptr<float>() + (block * static_cast<std::int64_t>(nodes_.size()) + node) * partial_size_;
}

void FastRun::scan_node(std::int64_t block, std::int64_t node) const {
  const std::span<const Leaf> leaves = nodes_[static_cast<std::size_t>(node)];
  const std::int64_t open = PartialTree::depth(leaves.front().index, leaves.back().index) * partial_size_;
  float* memory = thread_memory(open + kernel_.workspace_size(shape_.width));
  PartialTree tree(kernel_, shape_, block_vectors(block), memory, partial_size_);
  for (const Leaf& leaf : leaves) scan_leaf(block, leaf, tree.next(leaf.index), memory + open);
  std::memcpy(partial(block, node), tree.finish(), partial_bytes(block));
}

void FastRun::scan_leaf(std::int64_t block, const Leaf& leaf, float* partial, float* workspace) const {
  const std::span<const ExcludedPair> excluded = exclusions_.of({leaf.begin, leaf.end});
  LeafScan scan;
  scan.rows = static_cast<const char*>(vectors_.const_data_ptr()) +
              leaf.begin * shape_.width * static_cast<std::int64_t>(vectors_.element_size());
  scan.format = format_;
  scan.row_stride = shape_.width;
  scan.row_count = leaf.size();
  if (bias_.defined()) scan.bias = bias_.const_data_ptr<float>() + leaf.begin;
  if (validity_.defined() && leaf.valid < leaf.size()) {
    scan.validity = validity_.const_data_ptr<float>() + leaf.begin;
  }
  scan.excluded = excluded.data();
  scan.excluded_count = static_cast<std::int64_t>(excluded.size());
  scan.first_row = leaf.begin;
  scan.first_query = block * block_;
  scan.queries = queries_.from(block * block_);
  scan.query_vectors = block_vectors(block);
  scan.query_parts = queries_.parts();
  for (std::size_t i = 0; i < request_.terms.size(); ++i) {
    scan.scales[i] = static_cast<float>(request_.terms[i].scale);
  }
  scan.want_max = request_.want_max;
  scan.shape = shape_;
  scan.partial = partial;
  scan.workspace = workspace;
  kernel_.scan(scan);
}

void FastRun::merge_nodes(std::int64_t block, PartialResults& results) const {
  const auto index = [this](std::span<const Leaf> leaves) { return leaves.front().index >> level_; };
  const std::int64_t depth = PartialTree::depth(index(nodes_.front()), index(nodes_.back()));
  PartialTree tree(kernel_, shape_, block_vectors(block), thread_memory(depth * partial_size_), partial_size_);
  std::int64_t node = 0;
  for (const std::span<const Leaf> leaves : nodes_) {
    std::memcpy(tree.next(index(leaves)), partial(block, node++), partial_bytes(block));
  }
  results.fill({block * block_, std::min((block + 1) * block_, query_count_)}, tree.finish());
}

}  // namespace negatron
