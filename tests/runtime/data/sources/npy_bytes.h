#pragma once

#include <string>

#include <ATen/ATen.h>

namespace negatron::testing {

/// An array as numpy.save writes it: fp16, fp32, fp64, uint8 or int64.
inline std::string npy_bytes(const at::Tensor& values, bool fortran_order = false) {
  const at::Tensor flat = values.contiguous();
  const std::string type = values.scalar_type() == at::kHalf    ? "<f2"
                           : values.scalar_type() == at::kFloat ? "<f4"
                           : values.scalar_type() == at::kByte  ? "|u1"
                           : values.scalar_type() == at::kLong  ? "<i8"
                                                                : "<f8";
  std::string shape;
  for (const std::int64_t size : values.sizes()) shape += std::to_string(size) + ", ";
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                       ", 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size() & 0xff) +
         static_cast<char>(header.size() >> 8) + header +
         std::string(static_cast<const char*>(flat.const_data_ptr()), flat.nbytes());
}

}  // namespace negatron::testing
