#include "samplers/cpu/cpu_isa.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/kernel_choice.h"

namespace negatron {
namespace {

constexpr CpuIsa kAll[] = {CpuIsa::kAuto,   CpuIsa::kPortable,   CpuIsa::kAvx2,
                           CpuIsa::kAvx512, CpuIsa::kAvx512Bf16, CpuIsa::kAmxBf16};

TEST(CpuIsa, NamesAreReadBack) {
  for (const CpuIsa isa : kAll) EXPECT_EQ(parse_cpu_isa(name_of(isa)), isa);
  EXPECT_THROW(parse_cpu_isa("sse"), std::invalid_argument);
  EXPECT_THROW(parse_cpu_isa(""), std::invalid_argument);
}

TEST(CpuIsa, AutoIsTheBestAndWhatLacksIsRefused) {
  const std::vector<CpuIsa> available = available_isas();
  ASSERT_FALSE(available.empty());
  EXPECT_EQ(available.front(), CpuIsa::kPortable);
  EXPECT_EQ(FastPass().isa(), available.back());
  for (const CpuIsa isa : kAll) {
    if (isa == CpuIsa::kAuto || std::find(available.begin(), available.end(), isa) != available.end()) {
      EXPECT_TRUE(has_isa(isa));
      EXPECT_EQ(FastPass(isa).isa(), isa == CpuIsa::kAuto ? available.back() : isa);
    } else {
      EXPECT_THROW(FastPass{isa}, std::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace negatron
