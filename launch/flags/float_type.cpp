#include "launch/flags/float_type.h"

#include "launch/exit_code.h"
#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {
namespace {

constexpr at::ScalarType kFloatTypes[] = {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble};

std::vector<std::string> float_type_names() {
  std::vector<std::string> names;
  for (const at::ScalarType dtype : kFloatTypes) names.push_back(dtype_text(dtype));
  return names;
}

at::ScalarType read_float_type(const std::string& flag, const std::string& text) {
  for (const at::ScalarType dtype : kFloatTypes) {
    if (dtype_text(dtype) == text) return dtype;
  }
  throw UsageError("--" + flag + " takes fp32, bf16, fp16 or fp64, not '" + text + "'.");
}

}  // namespace

TypedField float_type_field(at::ScalarType* field) {
  return {[field] { return dtype_text(*field); },
          [field](const std::string& flag, const std::string& text) { *field = read_float_type(flag, text); },
          float_type_names()};
}

TypedField float_type_field(std::optional<at::ScalarType>* field) {
  return {[field] { return *field ? dtype_text(**field) : std::string(); },
          [field](const std::string& flag, const std::string& text) {
            // An empty text is how a configuration says "not set".
            field->reset();
            if (!text.empty()) *field = read_float_type(flag, text);
          },
          float_type_names()};
}

}  // namespace negatron
