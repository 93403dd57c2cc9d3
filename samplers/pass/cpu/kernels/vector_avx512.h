#pragma once

#include <immintrin.h>

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Sixteen lanes of AVX-512.
struct Vector {
  using Float = __m512;
  using Mask = __mmask16;
  static constexpr int kLanes = 16;
  /// What products keep in registers: 6 rows by 4 vectors of sums, 4 vectors and 1 broadcast of 32.
  static constexpr int kVectors = 4;
  static constexpr int kMostProductRows = 16;

  static Float load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Float a) { _mm512_storeu_ps(to, a); }
  static Float all(float a) { return _mm512_set1_ps(a); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float multiply_add(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  /// b where a is NaN.
  static Float larger(Float a, Float b) { return _mm512_max_ps(a, b); }
  static Float nearest(Float a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Float above(Float a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static Mask is_larger(Float a, Float b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  /// Of the lanes.
  static float sum(Float a) { return _mm512_reduce_add_ps(a); }
  static bool any(Mask mask) { return mask != 0; }
  /// A bit for each lane.
  static unsigned bits(Mask mask) { return mask; }
  /// The lanes of the mask, moved to the front in their order; what follows means nothing.
  static Float front(Mask mask, Float a) { return _mm512_maskz_compress_ps(mask, a); }
  static Float choose(Mask mask, Float yes, Float no) { return _mm512_mask_blend_ps(mask, no, yes); }
  /// a 2^n for integers n up to 127; 0 where 2^n would be below the normal numbers.
  static Float times_power(Float a, Float n) {
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(n, _mm512_set1_ps(-127.0f), _CMP_GT_OQ), a, n);
  }

  using Double = __m512d;
  static constexpr int kDoubles = 8;
  static Double no_double() { return _mm512_setzero_pd(); }
  static Double load_doubles(const double* from) { return _mm512_loadu_pd(from); }
  static Double widen_fp32(const void* from) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(static_cast<const float*>(from)));
  }
  static Double multiply_add_doubles(Double a, Double b, Double c) { return _mm512_fmadd_pd(a, b, c); }
  /// Of neighbours, then of neighbouring pairs, then of both halves.
  static double sum_of_eight(const Double (&a)[1]) {
    const __m256d pairs = _mm256_hadd_pd(_mm512_castpd512_pd256(a[0]), _mm512_extractf64x4_pd(a[0], 1));
    const __m128d halves = _mm_add_pd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd(pairs, 1));
    return _mm_cvtsd_f64(_mm_add_sd(halves, _mm_unpackhi_pd(halves, halves)));
  }
};

}  // namespace
}  // namespace negatron
