#pragma once

/// In front of a function whose loops are to be vector code: a copy of it for every instruction set, chosen when the
/// program starts. Sources that use it are compiled with products and sums kept apart (runtime/CMakeLists.txt), so that
/// all copies compute the same to the last bit.
#if defined(__x86_64__)
#define NEGATRON_VECTOR_CODE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NEGATRON_VECTOR_CODE
#endif
/// What such a function calls is compiled into each of its copies.
#define NEGATRON_IN_VECTOR_CODE [[gnu::always_inline]] inline
