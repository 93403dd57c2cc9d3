#pragma once

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Four lanes in the compiler's own vectors: any processor, at best one with 128-bit registers.
struct Vector {
  using Float = float __attribute__((vector_size(16)));
  using Mask = int __attribute__((vector_size(16)));
  /// The same numbers wherever they lie.
  using Stored = float __attribute__((vector_size(16), aligned(4), may_alias));
  static constexpr int kLanes = 4;
  /// What products keep in registers: 6 rows by 2 vectors of sums, 2 vectors and 1 broadcast of 16.
  static constexpr int kVectors = 2;
  static constexpr int kMostProductRows = 12;
  /// Adding and subtracting 1.5 2^23 rounds numbers up to 2^22 to integers; larger ones are their own nearest integer,
  /// or one beside it, which serves as well.
  static constexpr float kRounder = 12582912.0f;

  static Float load(const float* from) { return *reinterpret_cast<const Stored*>(from); }
  static void store(float* to, Float a) { *reinterpret_cast<Stored*>(to) = a; }
  static Float all(float a) { return Float{a, a, a, a}; }
  static Float add(Float a, Float b) { return a + b; }
  static Float subtract(Float a, Float b) { return a - b; }
  static Float multiply(Float a, Float b) { return a * b; }
  static Float multiply_add(Float a, Float b, Float c) { return a * b + c; }
  /// b where a is NaN.
  static Float larger(Float a, Float b) { return a > b ? a : b; }
  static Float nearest(Float a) { return (a + kRounder) - kRounder; }
  static Float above(Float a) {
    const Float near = nearest(a);
    return near < a ? near + 1.0f : near;
  }
  static Mask is_larger(Float a, Float b) { return a > b; }
  /// Of the lanes.
  static float sum(Float a) { return (a[0] + a[1]) + (a[2] + a[3]); }
  static bool any(Mask mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }
  /// A bit for each lane.
  static unsigned bits(Mask mask) { return (mask[0] & 1u) | (mask[1] & 2u) | (mask[2] & 4u) | (mask[3] & 8u); }
  static Float choose(Mask mask, Float yes, Float no) { return mask ? yes : no; }
  /// a 2^n for integers n up to 127; 0 where 2^n would be below the normal numbers.
  static Float times_power(Float a, Float n) {
    const Mask exponent = __builtin_convertvector(larger(n, all(-127.0f)), Mask);
    return a * reinterpret_cast<Float>((exponent + 127) << 23);
  }

  using Double = double __attribute__((vector_size(16)));
  static constexpr int kDoubles = 2;
  static Double no_double() { return Double{}; }
  static Double load_doubles(const double* from) { return Double{from[0], from[1]}; }
  static Double widen_fp32(const void* from) {
    float numbers[kDoubles];
    __builtin_memcpy(numbers, from, sizeof(numbers));
    return Double{static_cast<double>(numbers[0]), static_cast<double>(numbers[1])};
  }
  static Double multiply_add_doubles(Double a, Double b, Double c) { return a * b + c; }
  /// Of neighbours, then of neighbouring pairs, then of both halves.
  static double sum_of_eight(const Double (&a)[4]) {
    const auto pair = [&a](int i) { return a[i][0] + a[i][1]; };
    return (pair(0) + pair(1)) + (pair(2) + pair(3));
  }
};

}  // namespace
}  // namespace negatron
