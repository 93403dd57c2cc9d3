#include "samplers/negative_samplers/bank_option.h"

namespace negatron {
namespace {

constexpr const char* kBank = "bank";

}  // namespace

MethodOption bank_option(bool default_value, const std::string& help) {
  return {kBank, default_value, help};
}

bool meets_bank(const MethodOptions& options) {
  return options.on(kBank);
}

std::string left_out_bank(const MethodOptions& options) {
  return meets_bank(options) ? "" : std::string(kBank) + "=off";
}

}  // namespace negatron
