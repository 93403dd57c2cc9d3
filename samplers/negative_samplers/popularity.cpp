#include "samplers/negative_samplers/popularity.h"

#include <stdexcept>

#include "comm/queued_copy.h"
#include "comm/share.h"

namespace negatron {
namespace {

constexpr const char* kPopularity = "--sampler popularity";

/// exp(-rank / lambda), rank 0 being the largest count; of equal counts the sample that comes first is before.
at::Tensor by_rank(const at::Tensor& counts, double lambda) {
  const at::Tensor order = std::get<1>(counts.sort(/*stable=*/true, 0, /*descending=*/true));
  at::Tensor weights = at::empty({counts.size(0)}, at::kDouble);
  weights.index_copy_(0, order, (at::arange(counts.size(0), at::kDouble) / -lambda).exp());
  return weights;
}

at::Tensor weights_of(const SamplerArguments& arguments) {
  const at::Tensor& counts = arguments.sample_counts;
  if (!counts.defined()) {
    throw std::invalid_argument(std::string(kPopularity) + " needs the count of each sample: --sample-counts FILE.");
  }
  if (counts.max().item<std::int64_t>() < 1) {
    throw std::invalid_argument(std::string(kPopularity) + ": no sample of --sample-counts has a count above 0.");
  }
  if (arguments.options.word("law") == "rank") return by_rank(counts, arguments.options.number("lambda"));
  // 0 to the power of 0 is 1, but a sample that was never counted is not drawn.
  const at::Tensor wide = counts.to(at::kDouble);
  return at::where(wide > 0.0, wide.pow(arguments.options.number("power")), at::zeros_like(wide));
}

}  // namespace

SamplerDescription Popularity::describe() {
  return {"popularity",
          "Mikolov et al., word2vec, NeurIPS 2013; Rendle & Freudenthaler, PNS, WSDM 2014",
          "some rows at random, those of samples that are counted often more often",
          {Effect::kIndexList},
          {{"m", std::int64_t{1024}, "draws a query, with replacement", 1},
           {.name = "law",
            .default_value = std::string("power"),
            .help = "probability by a power of the count, or by exp(-rank / lambda)",
            .choices = {"power", "rank"}},
           {"power", 0.75, "of law=power; 0 draws all that were counted alike", 0.0, 8.0},
           {"lambda", 1000.0, "of law=rank, in ranks by count", 1e-3},
           {"stand-for-bank", false, "each draw counts 1 / (m p) times: estimates sums over the whole bank"}},
          {Need::kOwnRows, Need::kCounts}};
}

Popularity::Popularity(const SamplerArguments& arguments)
    : base_(arguments.base), seed_(arguments.seed), rows_(arguments.options.count("m")), slots_(weights_of(arguments)) {
  if (arguments.options.on("stand-for-bank")) log_weights_ = slots_.log_weights(rows_);
}

NegativeRequest Popularity::request(const Bank& bank, const QueryBatch& batch) const {
  NegativeRequest request = base_;
  request.sets.front().slots = slots_.draw(bank, batch, seed_, rows_);
  if (log_weights_.defined()) {
    const Range own = share(bank.capacity(), bank.layout().ranks(), bank.rank());
    request.row_log_weights = queued_copy(log_weights_.slice(0, own.begin, own.end), bank.shard().rows.slots.device());
  }
  return request;
}

}  // namespace negatron
