#include "samplers/pass/plain_request.h"

#include <algorithm>

#include "samplers/pass/cpu/query_panels.h"

namespace negatron {

bool is_plain_request(const PassRequest& request) {
  const Candidates& candidates = request.candidates;
  const bool asks = !request.terms.empty() || request.best > 0;
  return asks && std::all_of(request.terms.begin(), request.terms.end(), is_plain) &&
         largest_scale(request.terms) <= kLargestKernelScale && candidates.label_rule == LabelRule::kAny &&
         candidates.windows.empty() && candidates.positive_rule == PositiveRule::kNone;
}

}  // namespace negatron
