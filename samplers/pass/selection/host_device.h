#pragma once

/// Before a function that a kernel calls and that a test calls on the host; and before a loop, for nvcc.
#ifdef __CUDACC__
#define NEGATRON_HOST_DEVICE __host__ __device__ __forceinline__
#define NEGATRON_PRAGMA(text) _Pragma(#text)
#define NEGATRON_UNROLL NEGATRON_PRAGMA(unroll)
#define NEGATRON_UNROLL_BY(count) NEGATRON_PRAGMA(unroll count)
#else
#define NEGATRON_HOST_DEVICE inline
#define NEGATRON_UNROLL
#define NEGATRON_UNROLL_BY(count)
#endif

namespace negatron {

/// log2(e): kernels of both compute weights as powers of two.
inline constexpr float kLog2E = 1.4426950408889634f;

}  // namespace negatron
