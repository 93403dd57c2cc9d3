#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace negatron::testing {

class EmulatedBlock;

/// DeviceThread (samplers/pass/cuda/device_thread.cuh) on the host, for the threads of an EmulatedBlock. What is wrong
/// on a device is refused here with std::logic_error: threads of a warp in different operations, loads from shared
/// memory that meet in a bank. What is not there before wait_for_copies() is NaN until then.
class EmulatedThread {
 public:
  EmulatedThread(EmulatedBlock& block, int index) : block_(block), index_(index) {}

  int index() const { return index_; }
  int lane() const { return index_ % 32; }
  int warp() const { return index_ / 32; }
  int block_x() const;
  int block_y() const;

  void sync() const;
  void converge() const;
  bool any(bool value) const { return ballot(value) != 0; }
  std::uint32_t ballot(bool value) const;
  float shuffle_xor(float value, int mask) const;
  std::int32_t count_up(std::int32_t* counter) const { return (*counter)++; }
  void store_pair(float* to, float first, float second) const;

  void copy(std::uint16_t* to, const std::uint16_t* from, bool present) const;
  void wait_for_copies() const;
  void load_matrices(std::uint32_t (&to)[4], const std::uint16_t* row) const;
  void load_transposed(std::uint32_t (&to)[4], const std::uint16_t* row) const;
  void multiply_add(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) const;

  float exp2(float x) const;
  std::uint32_t pack(float low, float high) const;

 private:
  EmulatedBlock& block_;
  int index_;
};

/// Runs the threads of a thread block in turns on the calling thread. A turn ends where a thread waits for others.
class EmulatedBlock {
 public:
  /// `order` decides which thread has its turn before which: 0 first to last, 1 last to first, others at random.
  EmulatedBlock(int threads, std::uint64_t order);
  ~EmulatedBlock();

  /// Runs `body` as every thread of block (x, y). Throws what a thread throws, and std::logic_error when threads wait
  /// for each other in vain.
  void run(int x, int y, const std::function<void(const EmulatedThread&)>& body);

 private:
  friend class EmulatedThread;
  struct Fibers;
  struct Meeting {
    const void* operation = nullptr;
    std::vector<void*> arguments;  // by place, null where none has arrived
    int arrived = 0;
    std::uint64_t finished = 0;
  };
  using Operation = void (*)(const std::vector<void*>& arguments);

  /// Runs `operation` over the arguments of all, once the last of them has come.
  void meet(Meeting& meeting, int place, Operation operation, void* argument);
  void wait_for_turn();

  int x_ = 0;
  int y_ = 0;
  std::uint64_t progress_ = 0;
  std::vector<Meeting> warps_;
  Meeting block_;
  std::vector<std::vector<std::function<void()>>> copies_;  // of each thread
  std::vector<int> order_;
  std::unique_ptr<Fibers> fibers_;
};

}  // namespace negatron::testing
