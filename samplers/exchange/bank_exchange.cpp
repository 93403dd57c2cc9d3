#include "samplers/exchange/bank_exchange.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "comm/share.h"
#include "samplers/exchange/partial_record.h"
#include "samplers/pass/reduction_tree.h"

namespace negatron {
namespace {

PartialFormat format_of(const NegativeRequest& request) {
  return {static_cast<std::int64_t>(request.scales.size()), request.queries.size(1), request.want_max,
          request.queries.scalar_type()};
}

void check_share(const NegativeRequest& request, std::int64_t own) {
  const auto fits = [own](const at::Tensor& tensor) { return tensor.size(0) == own; };
  if (request.queries.dim() != 2 || !fits(request.queries)) {
    throw std::invalid_argument("score_bank: queries must be [b, d] with b = " + std::to_string(own) +
                                ", this rank's share of the global batch");
  }
  if (request.exclude_ids.defined() && (request.exclude_ids.dim() != 1 || !fits(request.exclude_ids) ||
                                        request.exclude_ids.scalar_type() != at::kLong)) {
    throw std::invalid_argument("score_bank: exclude_ids must be int64, one for each query");
  }
}

/// Merges the ranks' partials for b queries, records [P * b, elements] in rank order.
PassResult merge_ranks(const at::Tensor& records, int ranks, const PartialFormat& format) {
  PassResult merged;
  ReductionTree tree;
  int rank = 0;
  for (const at::Tensor& block : records.chunk(ranks)) {
    PassResult partial = unpack_partials(block, format);
    merged.count = rank == 0 ? partial.count : merged.count + partial.count;
    if (format.has_max) merged.max = rank == 0 ? partial.max : at::maximum(merged.max, partial.max);
    tree.push(rank++, {partial.log_sum_exp, partial.mean});
  }
  Partial root = *tree.finish();
  merged.log_sum_exp = std::move(root.log_sum_exp);
  merged.mean = std::move(root.mean);
  return merged;
}

}  // namespace

std::int64_t exchange_record_width(const NegativeRequest& request) {
  return format_of(request).elements();
}

PassResult score_bank(Communicator& comm, const Bank& bank, const NegativeRequest& request, std::int64_t global_batch,
                      const Pass& pass) {
  return finish_scores(comm, bank, start_scores(comm, request, global_batch), pass);
}

PendingScores start_scores(Communicator& comm, const NegativeRequest& request, std::int64_t global_batch) {
  const std::vector<std::int64_t> shares = share_sizes(global_batch, comm.size());
  check_share(request, shares[static_cast<std::size_t>(comm.rank())]);
  PendingScores pending{request, global_batch, comm.start_all_gather(request.queries.detach().contiguous(), shares),
                        std::nullopt};
  if (request.exclude_ids.defined()) {
    // Ids live on the host, but a group over device tensors moves nothing else.
    const at::Tensor ids = request.exclude_ids.to(request.queries.device()).contiguous();
    pending.ids = comm.start_all_gather(ids, shares);
  }
  return pending;
}

PassResult finish_scores(Communicator& comm, const Bank& bank, PendingScores pending, const Pass& pass) {
  const at::NoGradGuard no_grad;
  PassRequest request;
  request.queries = pending.queries.wait();  // [Bg, d]
  request.scales = pending.request.scales;
  request.want_max = pending.request.want_max;
  if (pending.ids) request.exclusions = bank.rows_with_ids(pending.ids->wait());

  const PartialFormat format = format_of(pending.request);
  const std::vector<std::int64_t> shares = share_sizes(pending.global_batch, comm.size());
  const std::vector<std::int64_t> own(shares.size(), shares[static_cast<std::size_t>(comm.rank())]);
  const at::Tensor records = pack_partials(pass.run(bank.shard().rows, request), format);  // [Bg, elements]
  return merge_ranks(comm.all_to_all(records, shares, own), comm.size(), format);
}

}  // namespace negatron
