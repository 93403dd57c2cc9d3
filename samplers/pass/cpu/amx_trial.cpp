#include "samplers/pass/cpu/amx_trial.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <c10/util/Exception.h>

#include "samplers/pass/cpu/fast_run.h"
#include "samplers/pass/kernel_trial.h"

namespace negatron {
namespace {

/// What a gradient may move when a weight becomes its neighbour in bf16, which another order of sums can bring about;
/// as a rule it moves a gradient by 1e-5, and a tile in the wrong place by 1.
constexpr double kTolerance = 0x1p-8;

}  // namespace

double kernel_distance(const PassKernel& tried, const PassKernel& known) {
  constexpr int kTerms = 2;
  constexpr std::int64_t kWholeTiles = 64, kOddWidth = 71;
  double most = 0.0;
  // Widths that fill the tiles and that leave a rest, queries in one part and in two, two terms at once: each takes
  // other paths through the tiles' loads and stores.
  for (const std::int64_t width : {kWholeTiles, kOddWidth}) {
    const Rows rows = trial_rows(at::kCPU, width);
    for (const int parts : {1, 2}) {
      const PassRequest request = trial_request(at::kCPU, width, kTerms, parts);
      const auto answer = [&](const PassKernel& kernel) {
        return FastRun(kernel, RowFormat::kBf16, rows, request).run();
      };
      most = std::max(most, distance(answer(tried), answer(known), request));
    }
  }
  return most;
}

CpuIsa amx_or_other(CpuIsa asked, double distance) {
  if (distance <= kTolerance) return CpuIsa::kAmxBf16;
  const std::string finding = "the kernel of AMX is off by " + std::to_string(distance) +
                              " from what that of avx512-bf16 computes on this machine, expected at most " +
                              std::to_string(kTolerance);
  // Who asked for it by name wants to know; who left the choice open gets right numbers, only slower.
  if (asked == CpuIsa::kAmxBf16) {
    throw std::invalid_argument("--cpu-isa amx-bf16: " + finding + "; take --cpu-isa avx512-bf16.");
  }
  TORCH_WARN_ONCE("--cpu-isa auto: ", finding, ": avx512-bf16 is used instead, which is slower.");
  return CpuIsa::kAvx512Bf16;
}

}  // namespace negatron
