#include "samplers/pass/pass.h"

#include <stdexcept>

namespace negatron {
namespace {

void require(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

}  // namespace

void check_pass_request(const Rows& rows, const PassRequest& request) {
  const at::Tensor& queries = request.queries;
  require(rows.vectors.defined() && rows.vectors.dim() == 2 && rows.vectors.is_floating_point(),
          "pass: rows must be a floating tensor [n, d]");
  require(queries.defined() && queries.dim() == 2 && queries.size(1) == rows.vectors.size(1),
          "pass: queries must be [Q, d] with the width of the rows");
  require(queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kDouble,
          "pass: queries must be fp32 or fp64");
  require(request.scales.size() == 1 || request.scales.size() == 2, "pass: one or two scales are needed");
  require(request.scales.front() > 0.0 && request.scales.back() >= 0.0,
          "pass: the first scale must be above 0, the second at least 0");
  require(!request.bias.defined() || (request.bias.dim() == 1 && request.bias.size(0) == rows.vectors.size(0)),
          "pass: the bias must be [n], one number for each row");
  require(
      !request.exclusions.defined() || (request.exclusions.dim() == 2 && request.exclusions.size(1) == 2 &&
                                        request.exclusions.is_cpu() && request.exclusions.scalar_type() == at::kLong),
      "pass: exclusions must be int64 pairs [M, 2] on the host");
}

}  // namespace negatron
