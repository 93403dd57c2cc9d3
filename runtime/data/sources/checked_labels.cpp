#include "runtime/data/sources/checked_labels.h"

#include "runtime/data/data_error.h"
#include "runtime/data/sources/encoded_images.h"

namespace negatron {

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

void require_label_shape(at::IntArrayRef shape, at::ScalarType type, std::int64_t samples, const std::string& name) {
  const bool is_column = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  if (is_column && shape[0] == samples && at::isIntegralType(type, /*includeBool=*/false)) return;
  throw DataError(name + " has the shape " + shape_text(shape) + ", expected one whole number for each of the " +
                  std::to_string(samples) + " samples.");
}

at::Tensor checked_labels(const at::Tensor& values, std::int64_t samples, const std::string& name) {
  require_label_shape(values.sizes(), values.scalar_type(), samples, name);
  at::Tensor labels = values.flatten().to(at::kLong);
  if (samples == 0) return labels;
  if (labels.min().item<std::int64_t>() < 0 || labels.max().item<std::int64_t>() >= kMostLabels) {
    throw DataError(name + " has labels below 0 or above " + std::to_string(kMostLabels - 1) + ".");
  }
  return labels;
}

}  // namespace negatron
