#include "samplers/objectives/nce.h"

#include <cmath>
#include <limits>

#include "samplers/objectives/exact_softplus.h"

namespace negatron {
namespace {

/// A name in snapshots: it stays as it is.
constexpr const char* kFirstLogZ = "nce_log_z";

/// log of an option, or of the whole bank where it is 0.
double log_count(const ObjectiveArguments& arguments, const char* option) {
  const std::int64_t bank = arguments.bank_rows > 0 ? arguments.bank_rows : 1;
  const std::int64_t count = arguments.options.count(option);
  return std::log(static_cast<double>(count > 0 ? count : bank));
}

}  // namespace

ObjectiveDescription Nce::describe() {
  return {"nce",
          "Gutmann and Hyvarinen, NCE, AISTATS 2010; Wu et al., InstDisc, CVPR 2018",
          "tells the positive from noise, one logistic decision each",
          {{.name = "log-z",
            .default_value = std::string("fixed"),
            .help = "the model's normaliser; first-batch: estimated once, from the first batch",
            .choices = {"fixed", "learned", "first-batch"}},
           {"log-z-value", 0.0, "log of the normaliser, or where learning starts"},
           {"noise-count", std::int64_t{0}, "k, noise samples a query; 0 for as many as bank rows", 0},
           {"items", std::int64_t{0}, "M, items that noise is drawn from; 0 for the bank rows", 0}}};
}

Nce::Nce(const ObjectiveArguments& arguments)
    : temperature_(arguments.temperature),
      log_items_(log_count(arguments, "items")),
      fixed_shift_(log_count(arguments, "noise-count") - log_items_),
      from_first_batch_(arguments.options.word("log-z") == "first-batch") {
  const double log_z = arguments.options.number("log-z-value");
  if (arguments.options.word("log-z") == "learned") {
    log_z_ = learned_scalar(log_z, arguments.temperature);
  } else if (!from_first_batch_) {
    // Otherwise learning starts from it, and log Z is no part of what is fixed.
    fixed_shift_ += log_z;
  }
}

std::vector<ObjectiveTerm> Nce::terms(const Anchors& anchors) const {
  // sum_j sp(c s_j - h) with h = log Z + log(k / M) (LOSSES.md 8). What is fixed of h is the term's constant offset. A
  // learned log Z is an offset per query, the same for all, so that its gradient comes by the slope: the sum of the
  // sigmoids.
  ObjectiveTerm noise = temperature_.log_sum_exp();
  noise.term.shape = TermShape::kSoftplus;
  noise.term.reduction = Reduction::kSum;
  noise.term.offset = -shift();
  if (log_z_.defined()) {
    noise.term.query_offset = log_z_.to(anchors.vectors.scalar_type()).neg().expand(anchors.vectors.size(0));
    noise.term.want_slope = true;
  }
  return {noise};
}

ObjectiveLoss Nce::loss(Communicator&, const Contrast& contrast) const {
  // The positive is told from noise by the same h. With h = 0 the example has 0.01815 for it, and 3.04859 + 0.69315 +
  // 0.01815 for the three negatives.
  at::Tensor logit = temperature_.logits(contrast.anchors.positive) - shift();
  if (log_z_.defined()) logit = logit - log_z_.to(logit.scalar_type());
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(-logit) + contrast.terms[0];
  return result;
}

bool Nce::needs_first_look() const {
  return from_first_batch_ && !first_log_z_;
}

std::vector<ObjectiveTerm> Nce::first_terms(const Anchors&) const {
  ObjectiveTerm all = temperature_.log_sum_exp();
  all.term.want_gradient = false;
  return {all};
}

// Z is M times the mean of exp(c s) over everything that the queries of the first batch met, their positives included,
// as the authors' code has it: one mean over the whole batch of all ranks. In logarithms, because exp(1 / 0.01) is
// beyond fp32, and sums of squares of it beyond more.
// Example: two queries that met e^0 + e^1 and e^0 + e^2, positives included: (2 + 2.718 + 7.389) / 4 = 3.027, and with
// M = 100 log Z is 5.713.
void Nce::take_first(Communicator& comm, const Contrast& contrast) {
  const at::Tensor positive = temperature_.logits(contrast.anchors.positive).detach().to(at::kDouble);
  const at::Tensor sums = at::logaddexp(contrast.terms[0].to(at::kDouble), positive);  // [A]
  // A rank without queries has no largest, and must not take a collective less than the others.
  at::Tensor largest = at::full({1}, -std::numeric_limits<double>::infinity(), sums.options());
  if (sums.numel() > 0) largest = sums.max().reshape({1});
  comm.all_reduce(largest, ReduceOp::kMax);
  const at::Tensor totals = at::stack({(sums - largest).exp().sum(), (contrast.count.to(at::kDouble) + 1.0).sum()});
  comm.all_reduce(totals, ReduceOp::kSum);
  const double mean = totals[0].item<double>() / totals[1].item<double>();
  first_log_z_ = largest.item<double>() + std::log(mean) + log_items_;
}

NamedState Nce::state() const {
  NamedState state;
  if (first_log_z_) state.numbers[kFirstLogZ] = *first_log_z_;
  return state;
}

// A snapshot of a run with another Z has none, and the next batch is then the first.
void Nce::restore(const NamedState& state) {
  if (!from_first_batch_) return;
  first_log_z_.reset();
  if (state.numbers.contains(kFirstLogZ)) first_log_z_ = state.number(kFirstLogZ);
}

std::vector<at::Tensor> Nce::parameters() const {
  std::vector<at::Tensor> all = temperature_.parameters();
  if (log_z_.defined()) all.push_back(log_z_);
  return all;
}

}  // namespace negatron
