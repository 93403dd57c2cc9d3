#include "samplers/objectives/triplet_in_batch.h"

#include <limits>
#include <stdexcept>
#include <vector>

namespace negatron {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// [A, V] bool: which views are positives of the views at `positions` [A]: their partners, and those of their label.
at::Tensor positives_of(const AllViews& views, const at::Tensor& positions) {
  const std::int64_t count = views.vectors.size(0);
  const at::Tensor all = at::arange(count, positions.options()).unsqueeze(0);
  const at::Tensor own = views.labels.index_select(0, positions).unsqueeze(1);
  const at::Tensor same = own.eq(views.labels.unsqueeze(0)).logical_and(own >= 0);
  const at::Tensor partner = (positions + count / 2).remainder(count).unsqueeze(1);
  return same.logical_or(all == partner).logical_and(all != positions.unsqueeze(1));
}

/// R: the most positives that a view has. All ranks know the labels of all.
std::int64_t most_positives(const AllViews& views) {
  std::vector<at::Tensor> counts;
  const at::Tensor all = at::arange(views.vectors.size(0), views.positions.options());
  for (const at::Tensor& some : all.split(TripletInBatch::kAnchorsAtOnce)) {
    counts.push_back(positives_of(views, some).sum(1));
  }
  return at::cat(counts).max().item<std::int64_t>();
}

/// [m, R] the positions of the positives of the views at `positions` [m], in their order, -1 for none.
at::Tensor positive_list(const AllViews& views, const at::Tensor& positions, std::int64_t most) {
  const at::Tensor is_positive = positives_of(views, positions);
  const at::Tensor first =
      std::get<1>(is_positive.to(at::kByte).sort(/*stable=*/true, 1, /*descending=*/true)).narrow(1, 0, most);
  return first.masked_fill(is_positive.gather(1, first).logical_not(), -1);
}

/// [m, V] how often each view is a negative of one of m anchors, less how often it is a positive, by their triplets.
at::Tensor named_by(const at::Tensor& positives, const at::Tensor& negatives, std::int64_t views,
                    at::TensorOptions options) {
  at::Tensor counts = at::zeros({negatives.size(0), views}, options);
  const at::Tensor is_triplet = (negatives >= 0).to(counts.scalar_type());
  counts.scatter_add_(1, negatives.clamp_min(0), is_triplet);
  counts.scatter_add_(1, positives.clamp_min(0), is_triplet.neg());
  return counts;
}

}  // namespace

ObjectiveDescription TripletInBatch::describe() {
  ObjectiveDescription description{
      "triplet-in-batch",
      "Schroff et al., FaceNet, CVPR 2015",
      "each pair of one label in the batch with its hardest view of another label that is still farther away",
      {{"margin", 0.2, "of squared distances, above 0", 0.0, 4.0},
       {.name = "fallback",
        .default_value = std::string("none"),
        .help = "for a pair without such a view: none, or the hardest that violates the margin",
        .choices = {"none", "violator"}}},
      {NegativeSource::kBatch}};
  description.needs_labels = true;
  description.uses_temperature = false;
  description.why_unit_rows = kUnitDistances;
  return description;
}

TripletInBatch::TripletInBatch(const ObjectiveArguments& arguments)
    : margin_(arguments.options.number("margin")), falls_back_(arguments.options.word("fallback") == "violator") {
  if (margin_ <= 0.0) {
    throw std::invalid_argument("--objective triplet-in-batch: margin must be above 0, or no view lies within it.");
  }
}

// Scores decide as in every choice: computed in fp64, rounded to fp32, ties by position, so that all numbers of ranks
// choose alike. With D^2 = 2 - 2 s the negatives within the margin are those with s+ - margin / 2 < s < s+.
//
// Example, margin 0.4: an anchor's negatives have 0.9, 0.7, 0.5 and 0.1, and its positives 0.8 and 0.6. Of the first
// the negative is 0.7, the first below 0.8 and above 0.6. Of the second it is 0.5. A positive with 0.2 would get 0.1;
// one with 0.05 has none below it, and with the fallback 0.9.
TripletInBatch::Triplets TripletInBatch::choose(const AllViews& views, const at::Tensor& positions,
                                                const at::Tensor& positives) const {
  const at::Tensor wide = views.vectors.to(at::kDouble);
  const std::int64_t count = wide.size(0);
  const at::Tensor scores = wide.index_select(0, positions).mm(wide.t());  // [m, V]
  const at::Tensor is_self = at::arange(count, positions.options()).unsqueeze(0) == positions.unsqueeze(1);
  const at::Tensor no_negative = positives_of(views, positions).logical_or(is_self);
  const auto [sorted, order] =
      scores.to(at::kFloat).masked_fill(no_negative, kNever).sort(/*stable=*/true, 1, /*descending=*/true);

  const at::Tensor positive = scores.gather(1, positives.clamp_min(0));  // [m, R] s+
  const at::Tensor least = (positive - margin_ / 2.0).to(at::kFloat);
  // The first negative below s+; behind the last one there are views that are none, with kNever.
  const at::Tensor below = at::searchsorted(sorted.neg().contiguous(), positive.to(at::kFloat).neg().contiguous(),
                                            /*out_int32=*/false, /*right=*/true)
                               .clamp_max(count - 1);
  const at::Tensor nearest = sorted.gather(1, below);
  at::Tensor has_one = (nearest > least).logical_and(nearest < positive.to(at::kFloat));
  at::Tensor negatives = order.gather(1, below);
  if (falls_back_) {
    negatives = at::where(has_one, negatives, order.narrow(1, 0, 1).expand_as(negatives));
    has_one = has_one.logical_or(sorted.narrow(1, 0, 1).expand_as(least) > least);
  }
  const at::Tensor none = has_one.logical_and(positives >= 0).logical_not();
  const at::Tensor hinges = 2.0 * (scores.gather(1, negatives) - positive) + margin_;
  return {negatives.masked_fill(none, -1), hinges.masked_fill(none, 0.0).sum(1)};
}

// A triplet (a, p, n) has d/da = 2 (n - p), d/dn = 2 a and d/dp = -2 a. All vectors and labels are everywhere, so what
// ranks tell each other are the negatives; the gradient of an own view is then a sum of vectors with whole numbers
// before them, times 2.
ObjectiveLoss TripletInBatch::loss(Communicator& comm, const Contrast& contrast) const {
  const AllViews& views = contrast.views;
  const at::Tensor& own = contrast.anchors.vectors;  // [A, d]
  const std::int64_t count = views.vectors.size(0);
  const std::int64_t most = most_positives(views);

  // Some own anchors at a time: what they meet, and their own part of the gradient.
  at::Tensor negatives = at::empty({own.size(0), most}, views.positions.options());
  at::Tensor value = at::empty({own.size(0)}, own.options());
  at::Tensor gradient = at::zeros_like(own.detach());
  for (std::int64_t begin = 0; begin < own.size(0); begin += kAnchorsAtOnce) {
    const auto some = [&](const at::Tensor& all) { return all.slice(0, begin, begin + kAnchorsAtOnce); };
    const at::Tensor positions = some(views.positions);
    const at::Tensor positives = positive_list(views, positions, most);
    const Triplets chosen = choose(views, positions, positives);
    some(negatives).copy_(chosen.negatives);
    some(value).copy_(chosen.value);
    some(gradient).copy_(named_by(positives, chosen.negatives, count, gradient.options()).mm(views.vectors));
  }

  // What anchors of all ranks name of own views.
  const at::Tensor message = at::cat({views.positions.unsqueeze(1), negatives}, 1).to(at::kInt);
  const at::Tensor all = comm.all_gather(message, views.anchors_of_ranks);  // [V, 1 + R]
  for (const at::Tensor& some : all.split(kAnchorsAtOnce)) {
    const at::Tensor positions = some.select(1, 0).to(at::kLong);
    const at::Tensor positives = positive_list(views, positions, most);
    const at::Tensor named = named_by(positives, some.narrow(1, 1, most).to(at::kLong), count, gradient.options());
    gradient.addmm_(named.index_select(1, views.positions).t(), views.vectors.index_select(0, positions));
  }
  gradient.mul_(2.0);

  ObjectiveLoss result;
  // A summand of value 0 takes the gradient to the views.
  const at::Tensor known = (own * gradient).sum(1);
  result.per_anchor = value + (known - known.detach());
  result.normalizer = (negatives >= 0).sum().to(own.scalar_type());
  result.metrics["triplets"] = result.normalizer;
  return result;
}

}  // namespace negatron
