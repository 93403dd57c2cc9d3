#pragma once

/// In front of a function whose loops are to be vector code: a copy of it for each of these instruction sets and one
/// for any machine, chosen when the program starts. Not under the thread sanitizer, whose code in the choice itself
/// would run before the sanitizer is there.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define NEGATRON_COPIES_FOR(...) __attribute__((target_clones(__VA_ARGS__, "default")))
#else
#define NEGATRON_COPIES_FOR(...)
#endif

/// The usual ones. Where all copies are to compute the same to the last bit, as views do, their source is compiled with
/// products and sums kept apart (runtime/CMakeLists.txt).
#define NEGATRON_VECTOR_CODE NEGATRON_COPIES_FOR("avx512f", "avx2")
/// What such a function calls is compiled into each of its copies.
#define NEGATRON_IN_VECTOR_CODE [[gnu::always_inline]] inline
