#pragma once

#include "samplers/pass/pass.h"

namespace negatron::testing {

/// The pass by its definition: all scores at once, in fp64, no tiles. What the other passes are compared with.
class PlainPass : public Pass {
 public:
  PassResult run(const Rows& rows, const PassRequest& request) const override;
};

}  // namespace negatron::testing
