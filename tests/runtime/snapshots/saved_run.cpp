#include "tests/runtime/snapshots/saved_run.h"

#include <map>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"

namespace negatron::testing {

std::int64_t expect_equals_queue(const Bank& bank, const PlainQueue& queue) {
  std::map<std::int64_t, const PlainQueue::Entry*> by_slot;
  for (const PlainQueue::Entry& entry : queue.entries()) by_slot[queue.slot_of(entry)] = &entry;
  const BankShard& shard = bank.shard();
  EXPECT_EQ(bank.filled(), static_cast<std::int64_t>(by_slot.size()));
  std::int64_t held = 0;
  for (const Leaf& leaf : shard.rows.leaves) {
    std::int64_t valid = 0;
    for (std::int64_t row = leaf.begin; row < leaf.end; ++row) {
      const auto slot = shard.rows.slots[row].item<std::int64_t>();
      const bool may_score = !shard.rows.validity.defined() || shard.rows.validity[row].item<float>() == 0.0F;
      EXPECT_EQ(may_score, slot >= 0);
      if (slot < 0) continue;
      ++valid;
      EXPECT_EQ(bank.layout().place_of(slot)->rank, bank.rank());
      EXPECT_EQ(bank.layout().place_of(slot)->row, row);
      const PlainQueue::Entry& entry = *by_slot.at(slot);
      EXPECT_TRUE(at::equal(shard.rows.vectors[row], entry.vector)) << "slot " << slot;
      EXPECT_EQ(shard.ids[row].item<std::int64_t>(), entry.id);
      EXPECT_EQ(shard.rows.labels[row].item<std::int64_t>(), entry.label);
      EXPECT_EQ(shard.steps[row].item<std::int64_t>(), entry.step);
    }
    EXPECT_EQ(leaf.valid, valid);
    held += valid;
  }
  return held;
}

void expect_equal_states(const TrainerState& found, const TrainerState& expected) {
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < found.tensors.size(); ++i) {
    EXPECT_EQ(found.tensors[i].first, expected.tensors[i].first);
    EXPECT_EQ(found.tensors[i].second.scalar_type(), expected.tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal(found.tensors[i].second, expected.tensors[i].second)) << found.tensors[i].first;
  }
  EXPECT_EQ(found.text, expected.text);
  EXPECT_EQ(found.numbers, expected.numbers);
}

void expect_equal_banks(const Bank& found, const Bank& expected) {
  const BankShard& a = found.shard();
  const BankShard& b = expected.shard();
  ASSERT_EQ(a.rows.vectors.sizes(), b.rows.vectors.sizes());
  EXPECT_TRUE(at::equal(a.rows.slots, b.rows.slots));
  const at::Tensor counts = b.rows.slots >= 0;
  const auto equal_where_valid = [&](const at::Tensor& x, const at::Tensor& y) {
    return at::equal(x.index({counts}), y.index({counts}));
  };
  EXPECT_TRUE(equal_where_valid(a.rows.vectors, b.rows.vectors));
  EXPECT_TRUE(equal_where_valid(a.rows.labels, b.rows.labels));
  EXPECT_TRUE(equal_where_valid(a.ids, b.ids));
  EXPECT_TRUE(equal_where_valid(a.steps, b.steps));
  ASSERT_EQ(a.rows.validity.defined(), b.rows.validity.defined());
  if (a.rows.validity.defined()) {
    EXPECT_TRUE(at::equal(a.rows.validity, b.rows.validity));
  }
  ASSERT_EQ(a.rows.leaves.size(), b.rows.leaves.size());
  for (std::size_t i = 0; i < a.rows.leaves.size(); ++i) {
    EXPECT_EQ(a.rows.leaves[i].index, b.rows.leaves[i].index);
    EXPECT_EQ(a.rows.leaves[i].begin, b.rows.leaves[i].begin);
    EXPECT_EQ(a.rows.leaves[i].valid, b.rows.leaves[i].valid);
  }
  const at::Tensor every_id = at::arange(-1, 12, at::kLong);
  EXPECT_TRUE(at::equal(found.rows_with_ids(every_id), expected.rows_with_ids(every_id)));
}

SaveReport save(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory, std::int64_t steps,
                int ranks, SnapshotOptions options) {
  SaveReport report;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank(), comm.size());
    run.train(bank, 0, steps);
    SnapshotStore store(files, directory, options);
    ASSERT_TRUE(store.start_save(comm, steps, run.state(steps), {{&bank}}));
    const SaveReport own = store.finish(comm);
    if (comm.rank() == 0) report = own;
  });
  return report;
}

std::int64_t restored_step(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory, int ranks,
                           std::vector<std::string>* quarantined) {
  std::int64_t step = -1;
  run_ranks(ranks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    FindOptions options;
    options.visibility_wait = std::chrono::milliseconds(50);
    const FoundSnapshot found = find_newest_snapshot(comm, files, directory, options);
    if (quarantined != nullptr && comm.rank() == 0) *quarantined = found.quarantined;
    if (!found.snapshot) return;
    const std::int64_t steps = found.snapshot->manifest.step;
    expect_equal_states(load_trainer(*found.snapshot), run.state(steps));
    Bank bank = run.bank(comm.rank(), comm.size());
    load_bank(*found.snapshot, bank, {});
    const at::Tensor held = at::full({1}, expect_equals_queue(bank, run.queue(steps)), at::kLong);
    comm.all_reduce(held, ReduceOp::kSum);
    EXPECT_EQ(held.item<std::int64_t>(), bank.filled());
    if (comm.rank() == 0) step = steps;
  });
  return step;
}

}  // namespace negatron::testing
