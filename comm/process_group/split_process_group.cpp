#include "comm/process_group/split_process_group.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace negatron {
namespace {

/// While it lives a backend's options say that its ranks are 0 to P - 1. Backends read there which ranks a part has,
/// and write there which it got; a group that Python made without saying has none, and one that was divided has those
/// of its part. Afterwards they are as they were.
class RanksInOptions {
 public:
  RanksInOptions(c10d::Backend::Options& options, int size)
      : options_(options), before_(options.global_ranks_in_group) {
    options_.global_ranks_in_group.resize(static_cast<std::size_t>(size));
    std::iota(options_.global_ranks_in_group.begin(), options_.global_ranks_in_group.end(), std::uint64_t{0});
  }
  ~RanksInOptions() { options_.global_ranks_in_group = std::move(before_); }
  RanksInOptions(const RanksInOptions&) = delete;
  RanksInOptions& operator=(const RanksInOptions&) = delete;

 private:
  c10d::Backend::Options& options_;
  std::vector<std::uint64_t> before_;
};

}  // namespace

// Not ProcessGroup::splitGroup, which renames the parent and leaves the part's ranks in its options, so that a second
// split of it reads beyond them.
c10::intrusive_ptr<c10d::ProcessGroup> split_process_group(const c10::intrusive_ptr<c10d::ProcessGroup>& parent,
                                                           const std::vector<int>& members, const std::string& name) {
  const c10::intrusive_ptr<c10d::Backend> backend = parent->getBackend(c10::DeviceType::CPU);
  const c10::intrusive_ptr<c10d::Backend::Options> options = backend->getBackendOptions();
  const RanksInOptions ranks(*options, parent->getSize());
  const c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::PrefixStore>(name, parent->getStore());
  const c10::intrusive_ptr<c10d::Backend> part = backend->split(store, members, options);
  const auto own = std::find(members.begin(), members.end(), parent->getRank()) - members.begin();
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, static_cast<int>(own), static_cast<int>(members.size()));
  const auto type = c10d::ProcessGroup::strToBackendType(part->getBackendName());
  group->setBackend(c10::DeviceType::CPU, type, part);
  group->setDefaultBackend(type);
  group->setGroupName(name);
  return group;
}

}  // namespace negatron
