#include "samplers/exchange/agreed_least.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace negatron {

std::vector<std::optional<std::size_t>> agreed_least(Communicator& comm, std::vector<double> times, std::size_t groups,
                                                     at::Device device) {
  for (double& time : times) {
    if (std::isnan(time)) time = std::numeric_limits<double>::infinity();
  }
  const at::Tensor slowest = at::tensor(times, at::kDouble).to(device);
  comm.all_reduce(slowest, ReduceOp::kMax);
  const at::Tensor host = slowest.cpu();
  const double* time = host.const_data_ptr<double>();
  const auto each = static_cast<std::ptrdiff_t>(times.size() / groups);
  std::vector<std::optional<std::size_t>> least;
  for (std::size_t group = 0; group < groups; ++group, time += each) {
    const auto finite = std::count_if(time, time + each, [](double one) { return std::isfinite(one); });
    least.emplace_back();
    if (finite > 1) least.back() = static_cast<std::size_t>(std::min_element(time, time + each) - time);
  }
  return least;
}

}  // namespace negatron
