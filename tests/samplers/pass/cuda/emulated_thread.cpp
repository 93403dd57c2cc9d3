#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include <c10/util/BFloat16.h>

#include "tests/samplers/pass/cuda/emulated_block.h"

// The operations as PTX ISA defines them (cp.async, ldmatrix, mma.m16n8k16, shfl.sync, vote.sync), by plain loops.
namespace negatron::testing {
namespace {

constexpr std::size_t kWarpThreads = 32;
constexpr std::size_t kCopied = 8;  // numbers of two bytes
constexpr std::uint16_t kNan = 0x7fff;

template <class Argument>
Argument& at_lane(const std::vector<void*>& arguments, std::size_t lane) {
  return *static_cast<Argument*>(arguments[lane]);
}

struct Vote {
  bool value;
  std::uint32_t all;
};

void vote(const std::vector<void*>& arguments) {
  std::uint32_t all = 0;
  for (std::size_t lane = 0; lane < kWarpThreads; ++lane)
    all |= std::uint32_t{at_lane<Vote>(arguments, lane).value} << lane;
  for (std::size_t lane = 0; lane < kWarpThreads; ++lane) at_lane<Vote>(arguments, lane).all = all;
}

struct Shuffle {
  float value;
  int mask;
  float other;
};

void shuffle(const std::vector<void*>& arguments) {
  for (std::size_t lane = 0; lane < kWarpThreads; ++lane) {
    Shuffle& own = at_lane<Shuffle>(arguments, lane);
    own.other = at_lane<Shuffle>(arguments, lane ^ static_cast<std::size_t>(own.mask)).value;
  }
}

struct Load {
  const std::uint16_t* row;
  std::uint32_t* to;
};

void require_distinct_banks(const std::vector<void*>& arguments, std::size_t matrix) {
  std::uint32_t banks = 0;
  for (std::size_t r = 0; r < 8; ++r) {
    const auto address = std::bit_cast<std::uintptr_t>(at_lane<Load>(arguments, 8 * matrix + r).row);
    if (address % 16 != 0) throw std::logic_error("a row of a matrix does not begin at a multiple of 16 bytes");
    banks |= 1u << address / 16 % 8;
  }
  if (banks != 0xffu) throw std::logic_error("rows of a matrix lie in the same banks of shared memory");
}

template <bool kTransposed>
void load(const std::vector<void*>& arguments) {
  for (std::size_t matrix = 0; matrix < 4; ++matrix) {
    require_distinct_banks(arguments, matrix);
    const auto number = [&](std::size_t row, std::size_t column) {
      if (kTransposed) std::swap(row, column);
      return std::uint32_t{at_lane<Load>(arguments, 8 * matrix + row).row[column]};
    };
    for (std::size_t lane = 0; lane < kWarpThreads; ++lane) {
      const std::size_t column = lane % 4 * 2;
      at_lane<Load>(arguments, lane).to[matrix] = number(lane / 4, column) | number(lane / 4, column + 1) << 16;
    }
  }
}

struct Product {
  float* c;
  const std::uint32_t* a;
  std::uint32_t b[2];
};

float half_of(std::uint32_t pair, std::size_t half) {
  return std::bit_cast<float>(half == 0 ? pair << 16 : pair & 0xffff0000u);
}

void multiply(const std::vector<void*>& arguments) {
  float a[16][16];
  float b[16][8];
  for (std::size_t lane = 0; lane < kWarpThreads; ++lane) {
    const Product& own = at_lane<Product>(arguments, lane);
    const std::size_t g = lane / 4;
    const std::size_t t = lane % 4;
    for (std::size_t i = 0; i < 8; ++i) a[g + i / 2 % 2 * 8][2 * t + i % 2 + i / 4 * 8] = half_of(own.a[i / 2], i % 2);
    for (std::size_t i = 0; i < 4; ++i) b[2 * t + i % 2 + i / 2 * 8][g] = half_of(own.b[i / 2], i % 2);
  }
  for (std::size_t lane = 0; lane < kWarpThreads; ++lane) {
    float* c = at_lane<Product>(arguments, lane).c;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t row = lane / 4 + i / 2 * 8;
      const std::size_t column = lane % 4 * 2 + i % 2;
      for (std::size_t k = 0; k < 16; ++k) c[i] += a[row][k] * b[k][column];
    }
  }
}

}  // namespace

int EmulatedThread::block_x() const {
  return block_.x_;
}

int EmulatedThread::block_y() const {
  return block_.y_;
}

void EmulatedThread::sync() const {
  block_.meet(
      block_.block_, index_, [](const std::vector<void*>&) {}, nullptr);
}

void EmulatedThread::converge() const {
  block_.meet(
      block_.warps_[static_cast<std::size_t>(warp())], lane(), [](const std::vector<void*>&) {}, nullptr);
}

std::uint32_t EmulatedThread::ballot(bool value) const {
  Vote own{value, 0};
  block_.meet(block_.warps_[static_cast<std::size_t>(warp())], lane(), vote, &own);
  return own.all;
}

float EmulatedThread::shuffle_xor(float value, int mask) const {
  Shuffle own{value, mask, 0.0f};
  block_.meet(block_.warps_[static_cast<std::size_t>(warp())], lane(), shuffle, &own);
  return own.other;
}

void EmulatedThread::store_pair(float* to, float first, float second) const {
  if (std::bit_cast<std::uintptr_t>(to) % 8 != 0)
    throw std::logic_error("a pair is not stored at a multiple of 8 bytes");
  to[0] = first;
  to[1] = second;
}

void EmulatedThread::copy(std::uint16_t* to, const std::uint16_t* from, bool present) const {
  if ((std::bit_cast<std::uintptr_t>(to) | std::bit_cast<std::uintptr_t>(from)) % 16 != 0) {
    throw std::logic_error("a copy is not aligned to 16 bytes");
  }
  std::fill_n(to, kCopied, kNan);
  block_.copies_[static_cast<std::size_t>(index_)].push_back([=] {
    for (std::size_t i = 0; i < kCopied; ++i) to[i] = present ? from[i] : std::uint16_t{0};
  });
}

void EmulatedThread::wait_for_copies() const {
  auto& copies = block_.copies_[static_cast<std::size_t>(index_)];
  for (const auto& copy : copies) copy();
  copies.clear();
}

void EmulatedThread::load_matrices(std::uint32_t (&to)[4], const std::uint16_t* row) const {
  Load own{row, to};
  block_.meet(block_.warps_[static_cast<std::size_t>(warp())], lane(), load<false>, &own);
}

void EmulatedThread::load_transposed(std::uint32_t (&to)[4], const std::uint16_t* row) const {
  Load own{row, to};
  block_.meet(block_.warps_[static_cast<std::size_t>(warp())], lane(), load<true>, &own);
}

void EmulatedThread::multiply_add(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                  std::uint32_t b1) const {
  Product own{c, a, {b0, b1}};
  block_.meet(block_.warps_[static_cast<std::size_t>(warp())], lane(), multiply, &own);
}

float EmulatedThread::exp2(float x) const {
  return std::exp2(x);
}

std::uint32_t EmulatedThread::pack(float low, float high) const {
  return c10::BFloat16(low).x | std::uint32_t{c10::BFloat16(high).x} << 16;
}

}  // namespace negatron::testing
