#include "comm/roll_call/interruption.h"

#include <utility>

namespace negatron {
namespace {

std::function<bool()>& interruption_check() {
  static std::function<bool()> check;
  return check;
}

}  // namespace

void set_interruption_check(std::function<bool()> check) {
  interruption_check() = std::move(check);
}

bool is_interrupted() {
  return interruption_check() && interruption_check()();
}

}  // namespace negatron
