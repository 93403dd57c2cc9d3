#include "samplers/pass/cpu/fast_run.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "samplers/cpu/task_threads.h"
#include "samplers/pass/canonical_tree.h"
#include "samplers/pass/cpu/partial_tree.h"
#include "samplers/pass/selection/sample_rank.h"

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
    // Leaves of one node share the index above the level's bits. At level 1 the leaves 0, 1, 3, 4, 5 are the nodes (0
    // 1), (3), (4 5).
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
      query_vectors_(request.candidates.queries.detach().contiguous()),
      vectors_(rows.vectors.detach().contiguous()),
      bias_(row_numbers(request.bias)),
      validity_(row_numbers(rows.validity)),
      exclusions_(request.candidates.exclusions, query_count_, rows.vectors.size(0)),
      panels_(query_vectors_, kernel, query_parts(largest_scale(request.terms), rows.vectors.size(1), rows.length)),
      shape_(partial_shape(request, rows.vectors.size(1))),
      block_(kQueryBlock) {
  for (const Leaf& leaf : rows.leaves) {
    // Left out here once, so that a shard without valid rows has no leaves and run() gives the empty result.
    if (leaf.valid == 0) continue;
    leaves_.push_back(leaf);
    valid_ += leaf.valid;
  }
  if (request.best > 0 && !leaves_.empty()) {
    near_rows_.emplace(kernel, SearchedRows{format, vectors_, rows.slots, valid_}, query_vectors_, panels_,
                       request.best);
  }
}

/// A task is a block of queries against a node of the canonical tree, that is a run of leaves at a multiple of its
/// length, so that merging the nodes' partials gives what merging leaf after leaf would. Say 8 leaves, 512 queries and
/// 2 threads: one node and two blocks would be 2 tasks, fewer than the 8 that keep both busy, so nodes are halved until
/// there are 4, of 2 leaves each. Task 5 is then block 1 against node 2: it scans leaf 4, scans leaf 5, and merges the
/// two partials. When all 8 tasks are done, each group of queries merges its four partials, ((0 1)(2 3)), and turns
/// them into values and gradients. Best rows are noted on the way: a sample of the rows first says above which score.
PassResult FastRun::run() {
  if (leaves_.empty()) return empty_result(request_);
  divide(at::get_num_threads());
  const auto tasks = blocks() * static_cast<std::int64_t>(nodes_.size());
  if (near_rows_) {
    near_rows_->reserve(tasks);
    take_sample();
  }
  partial_size_ = partial_numbers(block_vectors(0));
  partials_ = at::empty({blocks(), static_cast<std::int64_t>(nodes_.size()), partial_size_}, at::kFloat);
  // Node after node, so that threads that are at the same rows share them.
  share_out(tasks, [this](std::int64_t task) { scan_node(task % blocks(), task / blocks()); });
  PartialResults results(request_, kernel_, shape_);
  share_out(groups(), [&](std::int64_t group) { merge_group(group, results); });
  PassResult result = results.take(valid_ - exclusions_.count(query_count_));
  if (near_rows_) {
    const NearRowsSearch::Best best = near_rows_->best();
    result.best = best.keys;
    open_queries_ = best.unknown;
  }
  return result;
}

/// The fewest nodes, and then the largest blocks, that keep `threads` busy.
void FastRun::divide(std::int64_t threads) {
  level_ = common_level(leaves_.front().index, leaves_.back().index);
  nodes_ = nodes_of(leaves_, level_);
  // Nodes are halved first, which costs a partial each; blocks are cut only if threads are still idle, because each
  // block reads the rows once more. A block stays a multiple of a group: halving ends at one group.
  const std::int64_t wanted = threads == 1 ? 1 : threads * kTasksAThread;
  const auto tasks = [this] { return static_cast<std::int64_t>(nodes_.size()) * blocks(); };
  while (level_ > 0 && tasks() < wanted) nodes_ = nodes_of(leaves_, --level_);
  while (block_ > kernel_.lanes * kernel_.vectors && tasks() < threads) block_ /= 2;
}

std::int64_t FastRun::blocks() const {
  return (query_count_ + block_ - 1) / block_;
}

std::int64_t FastRun::block_vectors(std::int64_t block) const {
  return std::min(block_ / kernel_.lanes, panels_.vectors() - block * block_ / kernel_.lanes);
}

std::int64_t FastRun::groups() const {
  return (panels_.vectors() + kernel_.vectors - 1) / kernel_.vectors;
}

std::int64_t FastRun::group_vectors(std::int64_t group) const {
  return std::min<std::int64_t>(kernel_.vectors, panels_.vectors() - group * kernel_.vectors);
}

std::int64_t FastRun::partial_numbers(std::int64_t vectors) const {
  return vectors * kernel_.lanes * shape_.size;
}

float* FastRun::partial(std::int64_t block, std::int64_t node) const {
  return partials_.data_ptr<float>() + (block * static_cast<std::int64_t>(nodes_.size()) + node) * partial_size_;
}

/// Rows of each leaf, from a place that differs from leaf to leaf: rows that lie together are often alike.
void FastRun::take_sample() {
  if (near_rows_->sample_size() > 0) {
    share_out(groups(), [this](std::int64_t group) { sample_group(group); });
  }
  std::int64_t largest_leaf = 0;
  for (const Leaf& leaf : leaves_) largest_leaf = std::max(largest_leaf, leaf.size());
  for (const std::span<const Leaf> leaves : nodes_) {
    const std::int64_t rows = leaves.back().end - leaves.front().begin;
    capacity_ = std::max(capacity_, near_rows_->capacity(rows, largest_leaf));
  }
}

void FastRun::sample_group(std::int64_t group) {
  const auto leaves = static_cast<std::int64_t>(leaves_.size());
  // As many rows of each leaf, or all that a smaller leaf has. Holes and excluded rows among them score NaN and are not
  // counted.
  const std::int64_t wanted = (near_rows_->sample_size() + leaves - 1) / leaves;
  const std::int64_t vectors = group_vectors(group);
  const Range queries = queries_of(group * kernel_.vectors * kernel_.lanes, vectors);
  const std::int64_t lanes = vectors * kernel_.lanes;
  const std::int64_t most = wanted * leaves;
  float* const memory = thread_memory(lanes * (most + 1) + kernel_.workspace_size(shape_.width));
  float largest_square = 0.0f;
  std::int64_t rows = 0;
  for (const Leaf& leaf : leaves_) {
    const std::int64_t count = std::min(wanted, leaf.size());
    const std::int64_t begin = leaf.begin + leaf.index * kSampleStep % (leaf.size() - count + 1);
    LeafScan scan;
    scan.query_vectors = vectors;
    scan.scores = memory + rows * lanes;
    scan.largest_square = &largest_square;
    scan.shape.width = shape_.width;
    // A shape without terms: the scan leaves its scores, and its partial is the largest of them, which nobody reads.
    scan.shape.size = 1;
    scan.partial = memory + most * lanes;
    scan.workspace = scan.partial + lanes;
    scan_rows(queries.begin, leaf, {begin, begin + count}, scan);
    rows += count;
  }
  near_rows_->set_thresholds(queries, memory, rows, largest_square);
}

void FastRun::scan_node(std::int64_t block, std::int64_t node) {
  const std::span<const Leaf> leaves = nodes_[static_cast<std::size_t>(node)];
  const std::int64_t first_query = block * block_;
  const std::int64_t vectors = block_vectors(block);
  const std::int64_t lanes = vectors * kernel_.lanes;
  // A thread's memory, one piece: open partials of the tree, then the lists, then the kernel's workspace. It is the
  // thread's own and used again by its next task.
  const std::int64_t open = PartialTree::depth(leaves.front().index, leaves.back().index) * partial_size_;
  const std::int64_t lists_size = near_rows_ ? NearLists::memory_size(lanes, capacity_) : 0;
  float* memory = thread_memory(open + lists_size + kernel_.workspace_size(shape_.width));
  PartialTree tree(kernel_, shape_, vectors, memory, partial_size_);
  std::optional<NearLists> lists;
  float largest_square = 0.0f;
  if (near_rows_) lists.emplace(memory + open, lanes, capacity_, near_rows_->thresholds(first_query));
  for (const Leaf& leaf : leaves) {
    if (lists) lists->make_room(leaf.size());
    LeafScan scan;
    scan.query_vectors = vectors;
    for (std::size_t i = 0; i < request_.terms.size(); ++i) {
      scan.scales[i] = static_cast<float>(request_.terms[i].scale);
    }
    scan.want_max = request_.want_max;
    if (lists) {
      scan.near = lists->panel();
      scan.largest_square = &largest_square;
    }
    scan.shape = shape_;
    scan.partial = tree.next(leaf.index);
    scan.workspace = memory + open + lists_size;
    scan_rows(first_query, leaf, {leaf.begin, leaf.end}, scan);
  }
  std::copy_n(tree.finish(), partial_numbers(vectors), partial(block, node));
  if (lists) near_rows_->keep(node * blocks() + block, queries_of(first_query, vectors), *lists, largest_square);
}

void FastRun::scan_rows(std::int64_t first_query, const Leaf& leaf, Range rows, LeafScan scan) const {
  const std::span<const ExcludedPair> excluded = exclusions_.of(rows);
  scan.rows = static_cast<const char*>(vectors_.const_data_ptr()) +
              rows.begin * shape_.width * static_cast<std::int64_t>(vectors_.element_size());
  scan.format = format_;
  scan.row_stride = shape_.width;
  scan.row_count = rows.size();
  if (bias_.defined()) scan.bias = bias_.const_data_ptr<float>() + rows.begin;
  // A leaf without holes is scanned without looking for them.
  if (validity_.defined() && leaf.valid < leaf.size()) {
    scan.validity = validity_.const_data_ptr<float>() + rows.begin;
  }
  scan.excluded = excluded.data();
  scan.excluded_count = static_cast<std::int64_t>(excluded.size());
  scan.first_row = rows.begin;
  scan.first_query = first_query;
  scan.queries = panels_.from(first_query);
  scan.query_parts = panels_.parts();
  kernel_.scan(scan);
}

Range FastRun::queries_of(std::int64_t first, std::int64_t vectors) const {
  return {first, std::min(first + vectors * kernel_.lanes, query_count_)};
}

void FastRun::merge_group(std::int64_t group, PartialResults& results) const {
  const auto index = [this](std::span<const Leaf> leaves) { return leaves.front().index >> level_; };
  const std::int64_t vectors = group_vectors(group);
  const std::int64_t size = partial_numbers(vectors);
  const std::int64_t depth = PartialTree::depth(index(nodes_.front()), index(nodes_.back()));
  PartialTree tree(kernel_, shape_, vectors, thread_memory(depth * size), size);
  const std::int64_t first_query = group * kernel_.vectors * kernel_.lanes;
  // Partials of a block are those of its groups, one after the other, each [size][g]: what comes before a group is as
  // many whole partials as queries precede it.
  const std::int64_t place = first_query % block_ * shape_.size;
  std::int64_t node = 0;
  for (const std::span<const Leaf> leaves : nodes_) {
    std::copy_n(partial(first_query / block_, node++) + place, size, tree.next(index(leaves)));
  }
  results.fill(queries_of(first_query, vectors), tree.finish());
}

}  // namespace negatron
