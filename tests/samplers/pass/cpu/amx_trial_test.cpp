#include "samplers/pass/cpu/amx_trial.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include "tests/samplers/pass/cpu/amx/emulated_kernel.h"

namespace negatron {
namespace {

/// Keeps warnings instead of printing them.
class Warnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { messages.push_back(warning.msg()); }
  std::vector<std::string> messages;
};

/// A kernel that exchanges what two queries get, as tiles in the wrong place would.
PassKernel wrong_kernel() {
  PassKernel wrong = avx512_bf16_pass_kernel();
  wrong.scan = [](const LeafScan& leaf) {
    const PassKernel& right = avx512_bf16_pass_kernel();
    right.scan(leaf);
    const std::int64_t lanes = std::min<std::int64_t>(leaf.query_vectors, right.vectors) * right.lanes;
    for (std::int64_t i = 0; i < leaf.shape.size; ++i) {
      std::swap(leaf.partial[i * lanes], leaf.partial[i * lanes + 1]);
    }
  };
  return wrong;
}

class AmxTrial : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_isa(CpuIsa::kAvx512Bf16)) GTEST_SKIP() << "the kernels that are compared need AVX-512 with bf16";
  }
};

TEST_F(AmxTrial, AcceptsARightKernel) {
  const double distance = kernel_distance(testing::emulated_amx_kernel(), avx512_bf16_pass_kernel());
  EXPECT_GT(distance, 0.0) << "sums in another order";
  EXPECT_EQ(amx_or_other(CpuIsa::kAuto, distance), CpuIsa::kAmxBf16);
  EXPECT_EQ(amx_or_other(CpuIsa::kAmxBf16, distance), CpuIsa::kAmxBf16);
}

TEST_F(AmxTrial, RefusesAWrongKernelAndSaysSoOnce) {
  const double distance = kernel_distance(wrong_kernel(), avx512_bf16_pass_kernel());
  Warnings warnings;
  {
    const c10::WarningUtils::WarningHandlerGuard guard(&warnings);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(amx_or_other(CpuIsa::kAuto, distance), CpuIsa::kAvx512Bf16);
  }
  ASSERT_EQ(warnings.messages.size(), 1u);
  EXPECT_NE(warnings.messages[0].find("avx512-bf16 is used instead"), std::string::npos) << warnings.messages[0];
  try {
    amx_or_other(CpuIsa::kAmxBf16, distance);
    ADD_FAILURE() << "took a wrong kernel";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("--cpu-isa amx-bf16"), std::string::npos) << error.what();
  }
}

TEST_F(AmxTrial, RefusesWhatIsNoNumber) {
  EXPECT_THROW(amx_or_other(CpuIsa::kAmxBf16, std::nan("")), std::invalid_argument);
}

}  // namespace
}  // namespace negatron
