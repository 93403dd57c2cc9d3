#include "runtime/data/image_source.h"

namespace negatron {

at::Tensor labels_of(const ImageSource& source, const at::Tensor& ids) {
  const at::Tensor labels = source.labels();
  return labels.defined() ? labels.index_select(0, source.stand_ins(ids)) : labels;
}

std::int64_t count_classes(const ImageSource& source) {
  const at::Tensor labels = source.labels();
  return labels.defined() && labels.size(0) > 0 ? labels.max().item<std::int64_t>() + 1 : 0;
}

}  // namespace negatron
