#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Named scalars of one step that are added up over ranks in one message. Every rank adds the same names in the same
/// order.
class StepSums {
 public:
  void add(const std::string& name, const at::Tensor& sum);
  void add(const std::map<std::string, at::Tensor>& sums);

  /// [n] fp64 on the device of the scalars, to be reduced; then `set` takes it back.
  at::Tensor stacked() const { return at::stack(sums_); }
  void set(const at::Tensor& stacked);

  /// After `set`. Throws std::out_of_range for a name that was not added.
  double operator[](const std::string& name) const { return values_.at(name); }

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> sums_;
  std::map<std::string, double> values_;
};

}  // namespace negatron
