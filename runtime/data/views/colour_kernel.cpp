#include "runtime/data/views/colour_kernel.h"

#include "samplers/cpu/vector_code.h"

namespace negatron {
namespace {

// Loops with these become vector code; std::clamp's references do not.

NEGATRON_IN_VECTOR_CODE float between_0_and_1(float x) {
  const float floored = x < 0.0F ? 0.0F : x;
  return floored > 1.0F ? 1.0F : floored;
}

NEGATRON_IN_VECTOR_CODE float grey_of(float red, float green, float blue) {
  return kRedInGrey * red + kGreenInGrey * green + kBlueInGrey * blue;
}

/// Into 0..6, from at most once around.
NEGATRON_IN_VECTOR_CODE float wrapped(float sixths) {
  const float lifted = sixths < 0.0F ? sixths + 6.0F : sixths;
  return lifted >= 6.0F ? lifted - 6.0F : lifted;
}

/// How far a channel lies below the pixel's value, as a share of its chroma: 0 in the third of the circle around the
/// channel's own hue, 1 in the opposite third, and linear between. `sixths` is the hue, turned so that the channel's
/// own is at 5, from 0 to 11.
NEGATRON_IN_VECTOR_CODE float depth(float sixths) {
  const float k = wrapped(sixths);
  const float to_edge = k < 4.0F - k ? k : 4.0F - k;
  return between_0_and_1(to_edge);
}

}  // namespace

NEGATRON_VECTOR_CODE void multiply_values(float* values, std::int64_t count, float factor) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = between_0_and_1(factor * values[i]);
}

NEGATRON_VECTOR_CODE void blend_with_value(float* values, std::int64_t count, float factor, float with) {
  const float rest = (1.0F - factor) * with;
  for (std::int64_t i = 0; i < count; ++i) values[i] = between_0_and_1(factor * values[i] + rest);
}

NEGATRON_VECTOR_CODE void blend_with_grey(const ColourPlanes& planes, float factor) {
  float* __restrict red = planes.red;
  float* __restrict green = planes.green;
  float* __restrict blue = planes.blue;
  const float rest = 1.0F - factor;
  for (std::int64_t i = 0; i < planes.pixels; ++i) {
    const float grey = rest * grey_of(red[i], green[i], blue[i]);
    red[i] = between_0_and_1(factor * red[i] + grey);
    green[i] = between_0_and_1(factor * green[i] + grey);
    blue[i] = between_0_and_1(factor * blue[i] + grey);
  }
}

// HSV is not written out in between. With value v = max(r, g, b), chroma c = v - min(r, g, b) and hue h in sixths of a
// turn, each channel is v - c depth(h + its place), and v and c stay as they are when h is turned. Example: orange
// (1, 0.5, 0) has v = 1, c = 1, h = 0.5; a third of a turn later h is 2.5, and the depths 1, 0, 0.5 give (0, 1, 0.5).
NEGATRON_VECTOR_CODE void turn_hue(const ColourPlanes& planes, float turns) {
  float* __restrict red = planes.red;
  float* __restrict green = planes.green;
  float* __restrict blue = planes.blue;
  const float turned = 6.0F * turns;
  for (std::int64_t i = 0; i < planes.pixels; ++i) {
    const float r = red[i], g = green[i], b = blue[i];
    const float most_of_two = r > g ? r : g;
    const float least_of_two = r < g ? r : g;
    const float value = most_of_two > b ? most_of_two : b;
    const float least = least_of_two < b ? least_of_two : b;
    const float chroma = value - least;
    // A grey pixel has no hue; its chroma of 0 keeps what comes out here from mattering.
    const float divisor = chroma > 0.0F ? chroma : 1.0F;
    const float not_red = value == g ? b - r : r - g;
    const float start_not_red = value == g ? 2.0F : 4.0F;
    const float distance = value == r ? g - b : not_red;
    const float start = value == r ? 0.0F : start_not_red;
    const float hue = wrapped(wrapped(start + distance / divisor) + turned);
    red[i] = value - chroma * depth(hue + 5.0F);
    green[i] = value - chroma * depth(hue + 3.0F);
    blue[i] = value - chroma * depth(hue + 1.0F);
  }
}

NEGATRON_VECTOR_CODE void solarise(float* values, std::int64_t count) {
  constexpr float kThreshold = 128.0F / 255.0F;
  for (std::int64_t i = 0; i < count; ++i) {
    const float inverted = 1.0F - values[i];
    values[i] = values[i] >= kThreshold ? inverted : values[i];
  }
}

// Eight sums side by side, added up in a fixed order: the order of additions is what a sum's last bits depend on, and a
// processor with wider vectors must not choose another.
NEGATRON_VECTOR_CODE double sum_of(const float* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 8;
  double lanes[kLanes] = {};
  const std::int64_t whole = count - count % kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  }
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  for (std::int64_t i = whole; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum;
}

}  // namespace negatron
