#include "runtime/snapshots/hdf5/hdf5_types.h"

#include <algorithm>
#include <array>

namespace negatron {
namespace {

struct NamedType {
  at::ScalarType dtype;
  const char* name;
};

constexpr std::array kTypes{
    NamedType{at::kDouble, "fp64"}, NamedType{at::kFloat, "fp32"}, NamedType{at::kBFloat16, "bf16"},
    NamedType{at::kHalf, "fp16"},   NamedType{at::kLong, "int64"}, NamedType{at::kInt, "int32"},
    NamedType{at::kByte, "uint8"},  NamedType{at::kChar, "int8"},  NamedType{at::kBool, "bool"}};

constexpr std::size_t kSignBit16 = 15;

Hdf5Handle copy_of(hid_t type) {
  return {H5Tcopy(type), H5Tclose, "copying a type"};
}

/// A 16-bit floating type: sign, then exponent, then mantissa.
Hdf5Handle narrow_float(std::size_t exponent_bits, std::size_t mantissa_bits, std::size_t bias) {
  // The fields shrink before the size: HDF5 refuses a size that the present fields do not fit into.
  // Example: 1.0 is 0x3F80 in bf16 (0 01111111 0000000, an exponent of 127 less the bias 127)
  // and 0x3C00 in fp16 (0 01111 0000000000, an exponent of 15 less the bias 15).
  Hdf5Handle type = copy_of(H5T_IEEE_F32LE);
  hdf5_ok(H5Tset_fields(type.get(), kSignBit16, mantissa_bits, exponent_bits, 0, mantissa_bits),
          "placing float fields");
  hdf5_ok(H5Tset_size(type.get(), 2), "setting the size of a float");
  hdf5_ok(H5Tset_ebias(type.get(), bias), "setting the bias of a float");
  return type;
}

Hdf5Handle boolean() {
  Hdf5Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose, "making the type of booleans");
  constexpr std::int8_t kFalse = 0;
  constexpr std::int8_t kTrue = 1;
  hdf5_ok(H5Tenum_insert(type.get(), "FALSE", &kFalse), "naming a boolean");
  hdf5_ok(H5Tenum_insert(type.get(), "TRUE", &kTrue), "naming a boolean");
  return type;
}

}  // namespace

Hdf5Handle hdf5_type(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return copy_of(H5T_IEEE_F64LE);
    case at::kFloat:
      return copy_of(H5T_IEEE_F32LE);
    case at::kBFloat16:
      return narrow_float(8, 7, 127);
    case at::kHalf:
      return narrow_float(5, 10, 15);
    case at::kLong:
      return copy_of(H5T_STD_I64LE);
    case at::kInt:
      return copy_of(H5T_STD_I32LE);
    case at::kByte:
      return copy_of(H5T_STD_U8LE);
    case at::kChar:
      return copy_of(H5T_STD_I8LE);
    case at::kBool:
      return boolean();
    default:
      throw SnapshotError(std::string("Snapshots do not hold tensors of type ") + at::toString(dtype) + ".");
  }
}

std::optional<at::ScalarType> scalar_type(const Hdf5Handle& type) {
  for (const NamedType& known : kTypes) {
    // Byte order, sizes, fields and bias must all agree.
    const htri_t equal = H5Tequal(type.get(), hdf5_type(known.dtype).get());
    hdf5_ok(equal, "comparing types");
    if (equal > 0) return known.dtype;
  }
  return std::nullopt;
}

std::optional<at::ScalarType> swapped_scalar_type(const Hdf5Handle& type) {
  const H5T_class_t kind = H5Tget_class(type.get());
  if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || H5Tget_order(type.get()) != H5T_ORDER_BE) return std::nullopt;
  const Hdf5Handle ours = copy_of(type.get());
  hdf5_ok(H5Tset_order(ours.get(), H5T_ORDER_LE), "turning the bytes of a type");
  return scalar_type(ours);
}

Hdf5Handle hdf5_text_type(std::size_t bytes) {
  Hdf5Handle type = copy_of(H5T_C_S1);
  // HDF5 has no text of no bytes.
  hdf5_ok(H5Tset_size(type.get(), std::max<std::size_t>(1, bytes)), "setting the size of a text");
  hdf5_ok(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "setting the padding of a text");
  hdf5_ok(H5Tset_cset(type.get(), H5T_CSET_UTF8), "setting the characters of a text");
  return type;
}

std::string dtype_text(at::ScalarType dtype) {
  for (const NamedType& known : kTypes) {
    if (known.dtype == dtype) return known.name;
  }
  throw SnapshotError(std::string("Snapshots do not hold tensors of type ") + at::toString(dtype) + ".");
}

at::ScalarType dtype_of_text(const std::string& text) {
  for (const NamedType& known : kTypes) {
    if (text == known.name) return known.dtype;
  }
  throw SnapshotError("'" + text + "' is no type of numbers that snapshots hold.");
}

}  // namespace negatron
