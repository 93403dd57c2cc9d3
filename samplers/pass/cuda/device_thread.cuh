#pragma once

#include <cstdint>

namespace negatron {

/// A thread of a kernel, and what it does with its warp by instructions of sm_80 (PTX ISA: cp.async, ldmatrix, mma).
class DeviceThread {
 public:
  __device__ __forceinline__ int index() const { return static_cast<int>(threadIdx.x); }
  __device__ __forceinline__ int lane() const { return static_cast<int>(threadIdx.x) % 32; }
  __device__ __forceinline__ int warp() const { return static_cast<int>(threadIdx.x) / 32; }
  __device__ __forceinline__ int block_x() const { return static_cast<int>(blockIdx.x); }
  __device__ __forceinline__ int block_y() const { return static_cast<int>(blockIdx.y); }

  __device__ __forceinline__ void sync() const { __syncthreads(); }
  /// The threads of the warp are in step, as loads of matrices and products want them, after branches of their own.
  __device__ __forceinline__ void converge() const { __syncwarp(); }
  __device__ __forceinline__ bool any(bool value) const { return __any_sync(kWarp, value) != 0; }
  __device__ __forceinline__ std::uint32_t ballot(bool value) const { return __ballot_sync(kWarp, value); }
  __device__ __forceinline__ float shuffle_xor(float value, int mask) const {
    return __shfl_xor_sync(kWarp, value, mask);
  }
  __device__ __forceinline__ std::int32_t count_up(std::int32_t* counter) const { return atomicAdd(counter, 1); }
  __device__ __forceinline__ void store_pair(float* to, float first, float second) const {
    *reinterpret_cast<float2*>(to) = make_float2(first, second);
  }

  /// Begins to copy 16 bytes into shared memory, zeros when they are not `present`.
  __device__ __forceinline__ void copy(std::uint16_t* to, const std::uint16_t* from, bool present) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)), "l"(from),
                 "r"(present ? 16 : 0)
                 : "memory");
  }
  /// Until the thread's own copies are there.
  __device__ __forceinline__ void wait_for_copies() const { asm volatile("cp.async.wait_all;\n" ::: "memory"); }

  /// Four 8 x 8 matrices of bf16. Lane 8 i + r says where row r of matrix i lies; number i that lane l gets is the pair
  /// 2 (l % 4) of row l / 4 of matrix i, of its transpose in load_transposed.
  __device__ __forceinline__ void load_matrices(std::uint32_t (&to)[4], const std::uint16_t* row) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
  }
  __device__ __forceinline__ void load_transposed(std::uint32_t (&to)[4], const std::uint16_t* row) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
  }
  /// c += a b, see warp_tile.h.
  __device__ __forceinline__ void multiply_add(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                               std::uint32_t b1) const {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};\n"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }

  __device__ __forceinline__ float exp2(float x) const {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
  }
  /// Two numbers rounded to bf16, the first in the low half.
  __device__ __forceinline__ std::uint32_t pack(float low, float high) const {
    std::uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
  }

 private:
  static constexpr unsigned kWarp = 0xffffffffu;

  __device__ __forceinline__ static std::uint32_t shared_address(const void* pointer) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
  }
};

}  // namespace negatron
