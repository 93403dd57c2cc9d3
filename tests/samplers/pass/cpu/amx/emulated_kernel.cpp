#include "tests/samplers/pass/cpu/amx/emulated_kernel.h"

#include "samplers/pass/cpu/kernels/amx_arithmetic.h"
#include "samplers/pass/cpu/kernels/amx_tiles.h"
#include "tests/samplers/pass/cpu/amx/emulated_tiles.h"

namespace negatron::testing {
namespace {

/// In the place of AmxTiles.
struct TilesInMemory {
  static EmulatedTiles& tiles() { return EmulatedTiles::of_this_thread(); }

  static void configure() {
    constexpr AmxTiles::Shapes kShapes;
    tiles().configure(&kShapes);
  }
  static void release() { tiles().release(); }
  template <int kTile>
  static void zero() {
    tiles().zero(kTile);
  }
  template <int kTile>
  static void load(const void* from, std::int64_t stride) {
    tiles().load(kTile, from, stride);
  }
  template <int kTile>
  static void store(void* to, std::int64_t stride) {
    tiles().store(kTile, to, stride);
  }
  template <int kSum, int kRows, int kColumns>
  static void multiply_add() {
    tiles().multiply_add(kSum, kRows, kColumns);
  }
};

}  // namespace

const PassKernel& emulated_amx_kernel() {
  static const PassKernel kernel = make_amx_kernel<TilesInMemory>();
  return kernel;
}

}  // namespace negatron::testing
