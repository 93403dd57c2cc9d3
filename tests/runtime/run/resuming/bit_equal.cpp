#include "tests/runtime/run/resuming/bit_equal.h"

#include <gtest/gtest.h>

namespace negatron::testing {

void expect_bit_equal(const Saved& found, const Saved& expected) {
  ASSERT_EQ(found.step, expected.step);
  ASSERT_EQ(found.trainer.tensors.size(), expected.trainer.tensors.size());
  for (std::size_t i = 0; i < found.trainer.tensors.size(); ++i) {
    const auto& [name, tensor] = expected.trainer.tensors[i];
    EXPECT_EQ(found.trainer.tensors[i].first, name);
    EXPECT_TRUE(at::equal(found.trainer.tensors[i].second, tensor)) << name;
  }
  EXPECT_EQ(found.trainer.text, expected.trainer.text);
  EXPECT_EQ(found.trainer.numbers, expected.trainer.numbers);
  ASSERT_EQ(found.bank.has_value(), expected.bank.has_value());
  if (!found.bank) return;
  EXPECT_TRUE(at::equal(found.keys.vectors, expected.keys.vectors));
  EXPECT_TRUE(at::equal(found.keys.ids, expected.keys.ids));
  EXPECT_TRUE(at::equal(found.keys.labels, expected.keys.labels));
  EXPECT_TRUE(at::equal(found.keys.steps, expected.keys.steps));
  EXPECT_TRUE(at::equal(found.keys.sequence, expected.keys.sequence));
  ASSERT_EQ(found.further_keys.size(), expected.further_keys.size());
  for (std::size_t i = 0; i < found.further_keys.size(); ++i) {
    EXPECT_TRUE(at::equal(found.further_keys[i].vectors, expected.further_keys[i].vectors));
    EXPECT_TRUE(at::equal(found.further_keys[i].steps, expected.further_keys[i].steps));
  }
  EXPECT_EQ(found.bank->length, expected.bank->length);
  EXPECT_EQ(found.bank->row_optimizer, expected.bank->row_optimizer);
  ASSERT_EQ(found.keys.raw.defined(), rows_learn(expected.bank->kind));
  if (!found.keys.raw.defined()) return;
  EXPECT_TRUE(at::equal(found.keys.raw, expected.keys.raw));
  EXPECT_TRUE(at::equal(found.keys.moments, expected.keys.moments));
}

}  // namespace negatron::testing
