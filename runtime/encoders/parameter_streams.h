#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "samplers/random/philox.h"

namespace negatron {

/// Gives each parameter of a network its own stream of random numbers, by its number in registration order: the first
/// parameter that is filled has number 0, the next one number 1. So the values depend on the seed and on nothing else.
/// Local.
class ParameterStreams {
 public:
  /// Draws one value.
  using Draw = std::function<double(CounterRng& random)>;

  explicit ParameterStreams(std::uint64_t seed) : seed_(seed) {}

  /// Fills `parameter` with what `draw` returns, element by element in row-major order, computed on the host in fp64 so
  /// that device and dtype do not change the values.
  void fill(const at::Tensor& parameter, const Draw& draw);
  void fill_constant(const at::Tensor& parameter, double value);

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

/// What a layer implements that has parameters of its own and is none of the layers that initialize() knows: a class
/// token, a table of positions.
class KnowsItsStart {
 public:
  virtual ~KnowsItsStart() = default;
  /// Fills each of the layer's own parameters, not those of its children, in the order in which they are registered.
  virtual void fill_parameters(ParameterStreams& streams) = 0;
};

}  // namespace negatron
