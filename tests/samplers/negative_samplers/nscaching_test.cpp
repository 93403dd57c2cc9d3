#include "samplers/negative_samplers/nscaching.h"

#include <set>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/options/named_state.h"

// What caches ask for and remember, without an exchange.

namespace negatron {
namespace {

constexpr std::int64_t kCached = 40;

NsCaching make_caches(const std::string& options) {
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler nscaching", NsCaching::describe().options, options);
  arguments.seed = 3;
  arguments.bank_rows = kCached;
  return NsCaching(arguments);
}

QueryBatch batch_of(const std::vector<std::int64_t>& ids, std::int64_t step) {
  QueryBatch batch;
  batch.ids = at::tensor(ids, at::kLong);
  batch.queries = random_unit_rows(1, 0, batch.ids.size(0), 4);
  batch.shares = {{batch.ids.size(0)}, 0};
  batch.step = step;
  return batch;
}

Bank own_rows_bank() {
  return {BankOptions{kCached, 4, at::kDouble, at::kCPU, BankFill::kRandom, 0, kCached, BankKind::kMemory}, 0, 1};
}

TEST(NsCaching, MeetsTheCacheAndMayKeepWhatIsNotInItYet) {
  const NsCaching caches = make_caches("m=2,n=5,candidates=30");
  const Bank bank = own_rows_bank();
  const NegativeRequest request = caches.request(bank, batch_of({7, 31}, 1));
  EXPECT_TRUE(at::equal(request.sets.front().slots, caches.lists().index_select(0, at::tensor({7, 31}, at::kLong))));
  ASSERT_TRUE(request.kept.has_value());
  EXPECT_EQ(request.kept->draws, 5);
  const at::Tensor& slots = request.kept->slots;
  ASSERT_EQ(slots.sizes(), (std::vector<std::int64_t>{2, 35}));
  for (std::int64_t i = 0; i < 2; ++i) {
    std::multiset<std::int64_t> named;
    for (std::int64_t k = 0; k < 35; ++k) named.insert(slots[i][k].item<std::int64_t>());
    // Of 35 numbers below 40 some are equal: each is named once.
    EXPECT_GT(named.count(-1), 0u);
    for (std::int64_t slot = 0; slot < kCached; ++slot) EXPECT_LE(named.count(slot), 1u);
  }
  // Other candidates in another step, and for another query of the same sample.
  EXPECT_FALSE(at::equal(caches.request(bank, batch_of({7, 31}, 2)).kept->slots, slots));
  const at::Tensor twice = caches.request(bank, batch_of({7, 7}, 1)).kept->slots;
  EXPECT_FALSE(at::equal(twice[0], twice[1]));
}

TEST(NsCaching, KeepsWhatItIsToldAndGoesOnFromASnapshot) {
  NsCaching caches = make_caches("m=2,n=3");
  const at::Tensor before = caches.lists().clone();
  caches.learn(at::tensor({4, 9, 4}, at::kLong), at::tensor({1, 2, 3, 5, 6, -1, 7, 8, 0}, at::kLong).view({3, 3}));
  EXPECT_TRUE(at::equal(caches.lists()[4], at::tensor({7, 8, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(caches.lists()[9], at::tensor({5, 6, -1}, at::kLong)));
  EXPECT_TRUE(at::equal(caches.lists()[5], before[5]));

  NsCaching resumed = make_caches("m=2,n=3");
  resumed.restore_lists(caches.lists());
  EXPECT_TRUE(at::equal(resumed.lists(), caches.lists()));
  for (const at::Tensor& wrong : {at::Tensor(), caches.lists().narrow(1, 0, 2), caches.lists() + kCached,
                                  caches.lists().to(at::kDouble), caches.lists() - 2}) {
    EXPECT_THROW(resumed.check_lists(wrong), MissingState);
  }
  EXPECT_NO_THROW(resumed.check_lists(caches.lists()));
}

}  // namespace
}  // namespace negatron
