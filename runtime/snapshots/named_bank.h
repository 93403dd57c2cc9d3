#pragma once

#include <string>

#include "samplers/bank/bank.h"

namespace negatron {

/// A bank of a run, and what tells it from the run's others in its snapshots; empty where it is the only one.
struct NamedBank {
  Bank* bank = nullptr;
  std::string name = {};
};

}  // namespace negatron
