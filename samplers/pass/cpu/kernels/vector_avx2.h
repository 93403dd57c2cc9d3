#pragma once

#include <immintrin.h>

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Eight lanes of AVX2 with FMA.
struct Vector {
  using Float = __m256;
  using Mask = __m256;
  static constexpr int kLanes = 8;
  /// What products keep in registers: 6 rows by 2 vectors of sums, 2 vectors and 1 broadcast of 16.
  static constexpr int kVectors = 2;
  static constexpr int kMostProductRows = 12;

  static Float load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Float a) { _mm256_storeu_ps(to, a); }
  static Float all(float a) { return _mm256_set1_ps(a); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float multiply_add(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  /// b where a is NaN.
  static Float larger(Float a, Float b) { return _mm256_max_ps(a, b); }
  static Float nearest(Float a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Float above(Float a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static Mask is_larger(Float a, Float b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
  /// Of the lanes.
  static float sum(Float a) {
    const __m256 pairs = _mm256_hadd_ps(a, a);
    const __m256 fours = _mm256_hadd_ps(pairs, pairs);
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
  }
  static bool any(Mask mask) { return _mm256_movemask_ps(mask) != 0; }
  /// A bit for each lane.
  static unsigned bits(Mask mask) { return static_cast<unsigned>(_mm256_movemask_ps(mask)); }
  static Float choose(Mask mask, Float yes, Float no) { return _mm256_blendv_ps(no, yes, mask); }
  /// a 2^n for integers n up to 127; 0 where 2^n would be below the normal numbers.
  static Float times_power(Float a, Float n) {
    const __m256i exponent = _mm256_cvtps_epi32(_mm256_max_ps(n, _mm256_set1_ps(-127.0f)));
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(a, _mm256_castsi256_ps(power));
  }

  using Double = __m256d;
  static constexpr int kDoubles = 4;
  static Double no_double() { return _mm256_setzero_pd(); }
  static Double load_doubles(const double* from) { return _mm256_loadu_pd(from); }
  static Double widen_fp32(const void* from) { return _mm256_cvtps_pd(_mm_loadu_ps(static_cast<const float*>(from))); }
  static Double multiply_add_doubles(Double a, Double b, Double c) { return _mm256_fmadd_pd(a, b, c); }
  /// Of neighbours, then of neighbouring pairs, then of both halves.
  static double sum_of_eight(const Double (&a)[2]) {
    const __m256d pairs = _mm256_hadd_pd(a[0], a[1]);
    const __m128d halves = _mm_add_pd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd(pairs, 1));
    return _mm_cvtsd_f64(_mm_add_sd(halves, _mm_unpackhi_pd(halves, halves)));
  }
};

}  // namespace
}  // namespace negatron
