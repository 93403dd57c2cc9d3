#pragma once

#include "tests/runtime/training/small_training.h"

namespace negatron::testing {

/// All that two snapshots hold, of encoders, optimizers, samplers and banks, is the same, bit for bit.
void expect_bit_equal(const Saved& found, const Saved& expected);

}  // namespace negatron::testing
