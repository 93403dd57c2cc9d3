#include "samplers/policies/whole_bank.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

TEST(WholeBank, MasksTheOwnSampleUnlessToldNotTo) {
  const Bank bank({8, 2, at::kFloat, at::kCPU, BankFill::kRandom, 1, 4}, 0, 1);
  QueryBatch batch{at::ones({3, 2}), at::ones({3, 2}), at::arange(3, at::kLong), 3, 0, {5.0}};
  const NegativeRequest masked = WholeBank().draw(bank, batch);
  EXPECT_TRUE(at::equal(masked.exclude_ids, batch.ids));
  EXPECT_TRUE(at::equal(masked.queries, batch.queries));
  EXPECT_EQ(masked.scales, batch.scales);
  EXPECT_TRUE(masked.want_max);
  EXPECT_FALSE(WholeBank(false).draw(bank, batch).exclude_ids.defined());
  batch.queries = at::ones({3, 5});
  EXPECT_THROW(WholeBank().draw(bank, batch), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
