#pragma once

#include <cstdint>

namespace negatron {

/// Red, green and blue of one image, in 0..1. Not owned.
struct ColourPlanes {
  float* red = nullptr;
  float* green = nullptr;
  float* blue = nullptr;
  std::int64_t pixels = 0;
};

/// How much of each colour is in a grey pixel (ITU-R BT.601, as PIL's mode L). They sum to 1: what is grey stays as it
/// is.
inline constexpr float kRedInGrey = 0.299F;
inline constexpr float kGreenInGrey = 0.587F;
inline constexpr float kBlueInGrey = 0.114F;

// All of these work in place, on the host, and give the same bits on every processor.

/// x <- clamp(factor x, 0, 1).
void multiply_values(float* values, std::int64_t count, float factor);

/// x <- clamp(factor x + (1 - factor) with, 0, 1).
void blend_with_value(float* values, std::int64_t count, float factor, float with);

/// x <- clamp(factor x + (1 - factor) grey, 0, 1) in each channel, where grey is that of the pixel.
void blend_with_grey(const ColourPlanes& planes, float factor);

/// Turns the hue of each pixel by so many turns, in -1/2..1/2; saturation and value of HSV stay.
void turn_hue(const ColourPlanes& planes, float turns);

/// x <- 1 - x where x is at least 128/255, as PIL's solarize of bytes.
void solarise(float* values, std::int64_t count);

/// Sum of `count` values.
double sum_of(const float* values, std::int64_t count);

}  // namespace negatron
