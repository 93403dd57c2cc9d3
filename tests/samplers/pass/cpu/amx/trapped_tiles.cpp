#include "tests/samplers/pass/cpu/amx/trapped_tiles.h"

#include <ucontext.h>

#include <cstdint>
#include <cstring>

#include "tests/samplers/pass/cpu/amx/emulated_tiles.h"

namespace negatron::testing {
namespace {

/// The registers of a thread that was stopped.
class Stopped {
 public:
  explicit Stopped(void* context) : registers_(static_cast<ucontext_t*>(context)->uc_mcontext.gregs) {}
  const std::uint8_t* next() const { return reinterpret_cast<const std::uint8_t*>(registers_[REG_RIP]); }
  void go_on_at(const std::uint8_t* instruction) { registers_[REG_RIP] = reinterpret_cast<greg_t>(instruction); }
  /// As instructions number them.
  std::int64_t general(int number) const {
    constexpr int kPlaces[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return registers_[kPlaces[number]];
  }

 private:
  greg_t* registers_;
};

/// The fields of an instruction in the form C4, two bytes of prefix, operation, ModRM, of volume 2, 2.1 and 2.3.
struct Fields {
  explicit Fields(const std::uint8_t* at)
      : is_vex(at[0] == 0xc4),
        map(at[1] & 0x1f),
        index_bit((~at[1] >> 6 & 1) * 8),
        base_bit((~at[1] >> 5 & 1) * 8),
        third(~at[2] >> 3 & 15),
        prefix(at[2] & 3),
        operation(at[3]),
        mode(at[4] >> 6),
        first(at[4] >> 3 & 7),
        second(at[4] & 7),
        rest(at + 5) {}

  bool is_vex;
  int map, index_bit, base_bit, third, prefix, operation, mode, first, second;
  const std::uint8_t* rest;
};

/// An operand in memory: where it begins, and for tiles how far its rows lie apart.
struct Operand {
  std::int64_t address = 0;
  std::int64_t stride = 0;
  const std::uint8_t* behind = nullptr;  // the instruction
};

std::int64_t displacement(const std::uint8_t* at, int bytes) {
  if (bytes == 1) return static_cast<std::int8_t>(*at);
  std::int32_t number = 0;
  if (bytes == 4) std::memcpy(&number, at, sizeof(number));
  return number;
}

Operand operand_of(const Fields& fields, const Stopped& thread) {
  constexpr int kFollows = 4, kNone = 5, kNoIndex = 4;
  const std::uint8_t* at = fields.rest;
  Operand operand;
  int base = fields.second;
  if (fields.second == kFollows) {
    const int index = (*at >> 3 & 7) + fields.index_bit;
    if (index != kNoIndex) operand.stride = thread.general(index) << (*at >> 6);
    base = *at++ & 7;
  }
  const bool relative = fields.mode == 0 && base == kNone;
  const int bytes = fields.mode == 1 ? 1 : fields.mode == 2 || relative ? 4 : 0;
  operand.behind = at + bytes;
  operand.address = displacement(at, bytes);
  if (!relative) {
    operand.address += thread.general(base + fields.base_bit);
  } else if (fields.second != kFollows) {
    operand.address += reinterpret_cast<std::int64_t>(operand.behind);
  }
  return operand;
}

/// Returns where to go on, null where the instruction is none of AMX. Operations and prefixes as volume 2 lists them
/// under LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE and TDPBF16PS.
const std::uint8_t* carry_out(const Fields& fields, const Stopped& thread) {
  constexpr int kMap0F38 = 2, kNoPrefix = 0, kF3 = 2, kF2 = 3, kOfRegisters = 3;
  constexpr int kShapeOrZero = 0x49, kMove = 0x4b, kProduct = 0x5c;
  if (!fields.is_vex || fields.map != kMap0F38) return nullptr;
  EmulatedTiles& tiles = EmulatedTiles::of_this_thread();
  const bool of_registers = fields.mode == kOfRegisters;
  const auto is = [&](int operation, int prefix) { return fields.operation == operation && fields.prefix == prefix; };
  if (of_registers) {
    if (is(kShapeOrZero, kNoPrefix)) {
      tiles.release();
    } else if (is(kShapeOrZero, kF2)) {
      tiles.zero(fields.first);
    } else if (is(kProduct, kF3)) {
      tiles.multiply_add(fields.first, fields.second, fields.third);
    } else {
      return nullptr;
    }
    return fields.rest;
  }
  const Operand operand = operand_of(fields, thread);
  auto* const memory = reinterpret_cast<void*>(operand.address);
  if (is(kShapeOrZero, kNoPrefix)) {
    tiles.configure(memory);
  } else if (is(kMove, kF2)) {
    tiles.load(fields.first, memory, operand.stride);
  } else if (is(kMove, kF3)) {
    tiles.store(fields.first, memory, operand.stride);
  } else {
    return nullptr;
  }
  return operand.behind;
}

void handle(int signal, siginfo_t*, void* context) {
  Stopped thread(context);
  const std::uint8_t* const behind = carry_out(Fields(thread.next()), thread);
  if (behind != nullptr) {
    thread.go_on_at(behind);
  } else {
    // Meets the instruction once more, and ends the program.
    ::signal(signal, SIG_DFL);
  }
}

}  // namespace

TrappedTiles::TrappedTiles() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, &before_);
}

TrappedTiles::~TrappedTiles() {
  sigaction(SIGILL, &before_, nullptr);
}

}  // namespace negatron::testing
