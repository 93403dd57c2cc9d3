#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"

namespace negatron::testing {

/// One promise of Communicator, tested on a group in checked mode, with tensors on `device`, which may be the host, and
/// in some cases on the host too. Collective; expectations
/// are gtest's non-fatal ones, against values in closed form.
struct ContractCase {
  const char* name;
  void (*run)(Communicator& communicator, at::Device device);
};

/// All promises. The same list runs over every transport.
const std::vector<ContractCase>& contract_cases();

/// For INSTANTIATE_TEST_SUITE_P.
inline std::string case_name(const ContractCase& contract_case) {
  return contract_case.name;
}

// The list is made of these, one a file.
const std::vector<ContractCase>& value_cases();
const std::vector<ContractCase>& row_cases();
const std::vector<ContractCase>& group_cases();
const std::vector<ContractCase>& refusal_cases();
const std::vector<ContractCase>& together_cases();
const std::vector<ContractCase>& side_cases();

inline const std::vector<at::ScalarType>& all_dtypes() {
  static const std::vector<at::ScalarType> dtypes = {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf,
                                                     at::kLong,   at::kInt,   at::kByte,     at::kBool};
  return dtypes;
}

/// [rows, width] of small integers, exact in every dtype (bool: odd or even), different for every rank, row and column.
inline at::Tensor pattern(std::int64_t seed, std::int64_t rows, std::int64_t width, at::ScalarType dtype,
                          at::Device device) {
  const at::Tensor values = (at::arange(rows * width, at::kLong) * 3 + seed * 5).remainder(11).view({rows, width});
  return (dtype == at::kBool ? values.remainder(2) : values).to(dtype).to(device);
}

/// Same dtype, shape and values.
inline bool same(const at::Tensor& actual, const at::Tensor& expected) {
  return actual.scalar_type() == expected.scalar_type() && actual.device() == expected.device() &&
         actual.sizes() == expected.sizes() && at::equal(actual, expected);
}

}  // namespace negatron::testing
