#include "launch/python/evaluate_rows.h"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "comm/require.h"
#include "launch/python/made_together.h"
#include "runtime/evaluation/features.h"

namespace negatron::python {
namespace {

/// One more than the largest label, 0 without any. Throws std::invalid_argument where rows and labels are none of one
/// set. Local.
std::int64_t classes_in(const std::string& name, const at::Tensor& rows, const at::Tensor& labels) {
  std::ostringstream shapes;
  shapes << rows.sizes() << " " << toString(rows.scalar_type()) << " and " << labels.sizes() << " "
         << toString(labels.scalar_type());
  require(rows.dim() == 2 && rows.size(1) > 0 && rows.is_floating_point() && labels.dim() == 1 &&
              labels.size(0) == rows.size(0) && labels.scalar_type() == at::kLong,
          name + " must be floating [n, D] with int64 labels [n], and are " + shapes.str());
  if (labels.numel() == 0) return 0;
  require(labels.min().item<std::int64_t>() >= 0, "the labels of " + name + " must be 0 or more");
  return labels.max().item<std::int64_t>() + 1;
}

/// How many labels of all ranks there are at most. Collective.
std::int64_t agreed_classes(Communicator& comm, const LabelledFeatures& features, const std::string& settings,
                            std::int64_t asked) {
  const std::int64_t own = made_together(comm, [&] {
    const std::int64_t train = classes_in("train", features.train, features.train_labels);
    const std::int64_t test = classes_in("test", features.test, features.test_labels);
    require(features.train.size(1) == features.test.size(1) && features.train.device() == features.test.device(),
            "train and test must have features of one width, on one device");
    require(asked >= 0, "classes must be 1 or more");
    require(
        asked == 0 || std::max(train, test) <= asked,
        "there is a label " + std::to_string(std::max(train, test) - 1) + ", and classes is " + std::to_string(asked));
    return std::max(train, test);
  });
  comm.agree("the evaluation", "features of width " + std::to_string(features.train.size(1)) + " on " +
                                   c10::DeviceTypeName(features.train.device().type()) + ", " + settings +
                                   ", classes " + std::to_string(asked));
  at::Tensor numbers = at::tensor({own, features.train.size(0)}, at::kLong);
  comm.all_reduce(numbers.narrow(0, 1, 1), ReduceOp::kSum);
  require(numbers[1].item<std::int64_t>() > 0, "train is empty on all ranks");
  comm.all_reduce(numbers.narrow(0, 0, 1), ReduceOp::kMax);
  return asked > 0 ? asked : std::max<std::int64_t>(numbers[0].item<std::int64_t>(), 1);
}

std::ostringstream exact_text() {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10);
  return text;
}

}  // namespace

KnnResult knn_of_features(const std::shared_ptr<Group>& group, const LabelledFeatures& features, KnnOptions options) {
  const at::NoGradGuard no_grad;
  const Group::Use use = group->use();
  std::ostringstream settings = exact_text();
  settings << "kNN with k " << options.k << " and tau " << options.temperature;
  options.classes = agreed_classes(use.comm(), features, settings.str(), options.classes);
  const at::Device device = features.train.device();
  return classify_knn(use.comm(), unit_rows(features.train), features.train_labels.to(device), unit_rows(features.test),
                      features.test_labels.to(device), options);
}

LinearProbeResult probe_of_features(const std::shared_ptr<Group>& group, const LabelledFeatures& features,
                                    LinearProbeOptions options) {
  const at::NoGradGuard no_grad;
  const Group::Use use = group->use();
  std::ostringstream settings = exact_text();
  settings << "a linear probe with";
  for (const double strength : options.l2) settings << " l2 " << strength;
  settings << ", validation " << options.validation_share << ", iterations " << options.most_iterations
           << ", tolerance " << options.tolerance;
  options.classes = agreed_classes(use.comm(), features, settings.str(), options.classes);
  const at::Device device = features.train.device();
  return linear_probe(use.comm(), {features.train.detach(), features.train_labels.to(device)},
                      {features.test.detach(), features.test_labels.to(device)}, options);
}

}  // namespace negatron::python
