#include "comm/error.h"

namespace negatron {

void throw_timeout(std::chrono::milliseconds limit) {
  throw TimeoutError("not finished within the time limit of " + std::to_string(limit.count()) +
                     " ms; another rank is late, stopped or gone, or makes other calls");
}

}  // namespace negatron
