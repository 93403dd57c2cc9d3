#include "samplers/exchange/query_blocks.h"

#include <algorithm>

namespace negatron {
namespace {

/// Elements of a block of vectors: 16 MiB in fp32, a few of which are alive.
constexpr std::int64_t kBlockElements = std::int64_t{1} << 22;

std::vector<ScoreTerm> at_queries(std::vector<ScoreTerm> terms, Range block) {
  for (ScoreTerm& term : terms) {
    if (term.query_offset.defined()) term.query_offset = term.query_offset.narrow(0, block.begin, block.size());
  }
  return terms;
}

at::Tensor joined(const std::vector<PassResult>& parts, const std::function<at::Tensor(const PassResult&)>& member) {
  if (!member(parts.front()).defined()) return {};
  std::vector<at::Tensor> members;
  for (const PassResult& part : parts) members.push_back(member(part));
  return at::cat(members);
}

PassResult joined(const std::vector<PassResult>& parts) {
  PassResult result;
  for (std::size_t i = 0; i < parts.front().terms.size(); ++i) {
    result.terms.push_back({joined(parts, [i](const PassResult& part) { return part.terms[i].value; }),
                            joined(parts, [i](const PassResult& part) { return part.terms[i].gradient; }),
                            joined(parts, [i](const PassResult& part) { return part.terms[i].slope; }),
                            joined(parts, [i](const PassResult& part) { return part.terms[i].log_weight; })});
  }
  result.count = joined(parts, [](const PassResult& part) { return part.count; });
  result.max = joined(parts, [](const PassResult& part) { return part.max; });
  return result;
}

}  // namespace

PassResult run_listed_in_blocks(const at::Tensor& queries, const std::vector<ScoreTerm>& terms, std::int64_t length,
                                const std::function<ListedVectors(Range)>& make) {
  const std::int64_t count = queries.size(0);
  if (count == 0 || length == 0) {
    PassRequest request;
    request.candidates.queries = queries;
    request.terms = terms;
    request.want_max = true;
    return empty_result(request);
  }
  // A query's result does not depend on the block that it is in: every query is a row of its own.
  const std::int64_t step = std::max<std::int64_t>(1, kBlockElements / (length * queries.size(1)));
  std::vector<PassResult> parts;
  for (std::int64_t begin = 0; begin < count; begin += step) {
    const Range block{begin, std::min(begin + step, count)};
    parts.push_back(
        run_listed(queries.narrow(0, block.begin, block.size()), make(block), at_queries(terms, block), true));
  }
  return parts.size() == 1 ? parts.front() : joined(parts);
}

}  // namespace negatron
