#include "runtime/data/orders/identity_order.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/data/orders/epoch_order.h"

namespace negatron {
namespace {

/// Images of one identity that go into a batch together.
struct Group {
  std::int64_t label = 0;
  std::vector<std::int64_t> samples;
};

struct Groups {
  std::vector<Group> full;
  /// Of identities that have no more than these left, and images without a label.
  std::vector<Group> smaller;
};

/// Images as they come in a random order, by label, cut where a group is full.
Groups random_groups(const at::Tensor& labels, std::int64_t size, CounterRng random) {
  const at::Tensor order = random_permutation(labels.size(0), random);
  const auto* label = labels.const_data_ptr<std::int64_t>();
  const auto* sample = order.const_data_ptr<std::int64_t>();
  Groups groups;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> begun;
  std::vector<std::int64_t> as_they_came;
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    const std::int64_t own = label[sample[i]];
    if (own < 0) {
      groups.smaller.push_back({own, {sample[i]}});
      continue;
    }
    auto [entry, is_new] = begun.try_emplace(own);
    if (is_new) as_they_came.push_back(own);
    entry->second.push_back(sample[i]);
    if (static_cast<std::int64_t>(entry->second.size()) < size) continue;
    groups.full.push_back({own, std::move(entry->second)});
    entry->second.clear();
  }
  for (const std::int64_t own : as_they_came) {
    if (!begun[own].empty()) groups.smaller.push_back({own, std::move(begun[own])});
  }
  return groups;
}

/// The same groups in an order of which each run of `distinct` has as many identities; what cannot be so is at the end.
std::vector<Group> kept_apart(std::vector<Group> groups, std::int64_t distinct) {
  std::vector<Group> apart;
  std::vector<Group> waiting;
  std::size_t next = 0;
  for (;;) {
    std::vector<Group> batch;
    std::unordered_set<std::int64_t> there;
    const auto is_full = [&] { return static_cast<std::int64_t>(batch.size()) == distinct; };
    // A group whose identity is in the batch already waits for the next one, and is asked first there.
    std::vector<Group> still_waiting;
    for (Group& group : waiting) {
      const bool goes = !is_full() && there.insert(group.label).second;
      (goes ? batch : still_waiting).push_back(std::move(group));
    }
    waiting = std::move(still_waiting);
    for (; next < groups.size() && !is_full(); ++next) {
      const bool goes = there.insert(groups[next].label).second;
      (goes ? batch : waiting).push_back(std::move(groups[next]));
    }
    const bool was_full = is_full();
    std::move(batch.begin(), batch.end(), std::back_inserter(apart));
    if (was_full) continue;
    std::move(waiting.begin(), waiting.end(), std::back_inserter(apart));
    return apart;
  }
}

void append(const std::vector<Group>& groups, std::vector<std::int64_t>& order) {
  for (const Group& group : groups) order.insert(order.end(), group.samples.begin(), group.samples.end());
}

}  // namespace

// Example: labels 0 0 0 0 1 1 2, two identities with two images of each. In the random order 3 0 4 6 1 5 2 the groups
// are 3 0 | 4 5 | 1 2, which are full, and 6, which is not. 3 0 and 4 5 make a batch; 1 2 finds no other identity with
// two images and comes behind it, and 6 is the last: 3 0 4 5 1 2 6.
at::Tensor identity_order(const at::Tensor& labels, const IdentityBatches& batches, std::uint64_t seed,
                          std::int64_t epoch) {
  Groups groups = random_groups(labels.contiguous(), batches.images_of_each,
                                CounterRng(seed, Purpose::kEpochOrder, static_cast<std::uint64_t>(epoch), 0));
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(labels.size(0)));
  append(kept_apart(std::move(groups.full), batches.identities), order);
  append(groups.smaller, order);
  return at::tensor(order, at::kLong);
}

}  // namespace negatron
