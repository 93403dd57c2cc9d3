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
