#include "tests/samplers/pass/cuda/emulated_block.h"

#include <csetjmp>

#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <numeric>
#include <random>
#include <stdexcept>

namespace negatron::testing {
namespace {

constexpr int kWarp = 32;
constexpr std::size_t kStackBytes = 256 * 1024;

}  // namespace

struct EmulatedBlock::Fibers {
  struct Fiber {
    ucontext_t begin;
    std::jmp_buf left;
    std::unique_ptr<char[]> stack;
    bool started = false;
    bool finished = false;
  };
  std::jmp_buf caller;
  std::vector<Fiber> fibers;
  int running = 0;
  EmulatedBlock* block = nullptr;
  const std::function<void(const EmulatedThread&)>* body = nullptr;
  std::exception_ptr failure;

  static Fibers* current;
  static void enter() {
    Fibers& own = *current;
    const int index = own.running;
    try {
      (*own.body)(EmulatedThread(*own.block, index));
    } catch (...) {
      if (!own.failure) own.failure = std::current_exception();
    }
    own.fibers[static_cast<std::size_t>(index)].finished = true;
    ++own.block->progress_;
    own.leave();
  }

  // swapcontext() asks the kernel for the mask of signals each time, which is most of what a turn takes.
  void turn_of(int index) {
    running = index;
    if (_setjmp(caller) != 0) return;
    Fiber& fiber = fibers[static_cast<std::size_t>(index)];
    if (fiber.started) _longjmp(fiber.left, 1);
    fiber.started = true;
    setcontext(&fiber.begin);
  }
  void leave() {
    if (_setjmp(fibers[static_cast<std::size_t>(running)].left) == 0) _longjmp(caller, 1);
  }
};

EmulatedBlock::Fibers* EmulatedBlock::Fibers::current = nullptr;

EmulatedBlock::EmulatedBlock(int threads, std::uint64_t order) : fibers_(std::make_unique<Fibers>()) {
  warps_.resize(static_cast<std::size_t>(threads / kWarp));
  for (Meeting& warp : warps_) warp.arguments.resize(kWarp);
  block_.arguments.resize(static_cast<std::size_t>(threads));
  copies_.resize(static_cast<std::size_t>(threads));
  order_.resize(static_cast<std::size_t>(threads));
  std::iota(order_.begin(), order_.end(), 0);
  if (order == 1) std::reverse(order_.begin(), order_.end());
  if (order > 1) std::shuffle(order_.begin(), order_.end(), std::mt19937_64(order));
  fibers_->block = this;
  fibers_->fibers.resize(static_cast<std::size_t>(threads));
  for (Fibers::Fiber& fiber : fibers_->fibers) {
    fiber.stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
  }
}

EmulatedBlock::~EmulatedBlock() = default;

void EmulatedBlock::run(int x, int y, const std::function<void(const EmulatedThread&)>& body) {
  x_ = x;
  y_ = y;
  fibers_->body = &body;
  for (Fibers::Fiber& fiber : fibers_->fibers) {
    fiber.started = false;
    fiber.finished = false;
    getcontext(&fiber.begin);
    fiber.begin.uc_stack.ss_sp = fiber.stack.get();
    fiber.begin.uc_stack.ss_size = kStackBytes;
    fiber.begin.uc_link = nullptr;
    makecontext(&fiber.begin, &Fibers::enter, 0);
  }
  Fibers::current = fibers_.get();
  const auto all_finished = [&] {
    return std::all_of(fibers_->fibers.begin(), fibers_->fibers.end(), [](const auto& f) { return f.finished; });
  };
  while (!fibers_->failure && !all_finished()) {
    const std::uint64_t before = progress_;
    for (const int index : order_) {
      Fibers::Fiber& fiber = fibers_->fibers[static_cast<std::size_t>(index)];
      if (fiber.finished || fibers_->failure) continue;
      fibers_->turn_of(index);
    }
    if (progress_ == before) throw std::logic_error("the threads of a block wait for each other in vain");
  }
  if (fibers_->failure) std::rethrow_exception(fibers_->failure);
}

void EmulatedBlock::wait_for_turn() {
  fibers_->leave();
}

void EmulatedBlock::meet(Meeting& meeting, int place, Operation operation, void* argument) {
  if (meeting.arrived == 0) meeting.operation = reinterpret_cast<const void*>(operation);
  if (meeting.operation != reinterpret_cast<const void*>(operation)) {
    throw std::logic_error("threads meet in different operations");
  }
  meeting.arguments[static_cast<std::size_t>(place)] = argument;
  ++progress_;
  if (++meeting.arrived == static_cast<int>(meeting.arguments.size())) {
    operation(meeting.arguments);
    meeting.arrived = 0;
    ++meeting.finished;
    return;
  }
  const std::uint64_t finished = meeting.finished;
  while (meeting.finished == finished) wait_for_turn();
}

}  // namespace negatron::testing
