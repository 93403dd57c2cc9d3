#include "comm/work.h"

#include <iostream>

#include "comm/error.h"

namespace negatron {

Work::Work(std::unique_ptr<Pending> pending) : pending_(std::move(pending)) {}

Work::Work(Work&&) noexcept = default;

Work& Work::operator=(Work&& other) noexcept {
  if (this != &other) {
    // The collective that is replaced has been started on all ranks. It must end here too, or its buffers would go
    // while others still read them.
    settle();
    pending_ = std::move(other.pending_);
  }
  return *this;
}

Work::~Work() {
  settle();
}

at::Tensor Work::wait() {
  if (pending_ == nullptr) throw CommError("a collective was waited for twice");
  // Emptied first: a wait that throws must not be repeated by the destructor.
  const std::unique_ptr<Pending> pending = std::move(pending_);
  return pending->finish();
}

// Runs in destructors, perhaps while another exception is on its way: a second one would end the program without a
// word, so this one is logged.
void Work::settle() noexcept {
  if (pending_ == nullptr) return;
  try {
    wait();
  } catch (const BrokenGroupError&) {
    // Of a group that broke before, which has been said.
  } catch (const std::exception& error) {
    std::cerr << "a collective that nobody waited for failed: " + std::string(error.what()) + "\n";
  }
}

}  // namespace negatron
