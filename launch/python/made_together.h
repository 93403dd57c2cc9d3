#pragma once

#include <stdexcept>

#include "comm/communicator.h"
#include "comm/together.h"

namespace negatron::python {

/// What `make` returns, on all ranks; where it throws on one of them, all throw std::invalid_argument. Collective.
template <typename Make>
auto made_together(Communicator& comm, const Make& make) {
  decltype(make()) made;
  failing_as<std::invalid_argument>([&] {
    together(comm, [&] { made = make(); });
    return 0;
  });
  return made;
}

}  // namespace negatron::python
