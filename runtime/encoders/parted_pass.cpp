#include "runtime/encoders/parted_pass.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {
namespace {

/// [V n, C, H, W]: one part of all views.
at::Tensor images_of(const std::vector<at::Tensor>& views, const BatchParts& parts, std::int64_t part) {
  std::vector<at::Tensor> images;
  for (const at::Tensor& view : views) images.push_back(parts.of(view, part));
  return images.size() == 1 ? images.front() : at::cat(images);
}

/// `rows` [V b, d] of V views -> [V, b, d], the same numbers.
at::Tensor by_view(const at::Tensor& rows, std::size_t views) {
  const auto count = static_cast<std::int64_t>(views);
  return rows.reshape({count, rows.size(0) / count, rows.size(1)});
}

/// `rows` [V, b, d] -> those of a part, view by view [V, n, d]. A view.
at::Tensor part_of_each_view(const at::Tensor& rows, const BatchParts& parts, std::int64_t part) {
  return parts.of(rows.transpose(0, 1), part).transpose(0, 1);
}

}  // namespace

// Example: 7 samples in 3 parts on 2 ranks, of which rank 1 has the samples 4, 5 and 6. Part 0 has 0, 3 and 6, so of
// rank 1 the row 2: the first one there whose sample is a multiple of 3.
at::Tensor BatchParts::of(const at::Tensor& rows, std::int64_t part) const {
  const std::int64_t begin = ((part - first) % count + count) % count;
  return rows.slice(0, std::min(begin, rows.size(0)), rows.size(0), count);
}

BatchParts divide_batch(std::int64_t count, std::int64_t global_batch, std::int64_t global_size, Range own) {
  const std::int64_t needed = (global_size * count + global_batch - 1) / global_batch;
  return {std::max<std::int64_t>(needed, 1), own.begin};
}

at::Tensor rows_in_parts(const RowNetwork& network, const std::vector<at::Tensor>& views, const BatchParts& parts) {
  const at::NoGradGuard no_grad;
  at::Tensor all;  // [V, b, d]
  for (std::int64_t part = 0; part < parts.count; ++part) {
    const at::Tensor rows = by_view(network(images_of(views, parts, part)), views.size());
    if (!all.defined()) all = at::empty({rows.size(0), views.front().size(0), rows.size(2)}, rows.options());
    part_of_each_view(all, parts, part).copy_(rows);
  }
  return all.flatten(0, 1);
}

PartedPass::PartedPass(RowNetwork network, const torch::nn::Module& module, std::vector<at::Tensor> views,
                       const BatchParts& parts)
    : network_(std::move(network)), views_(std::move(views)), parts_(parts) {
  for (const at::Tensor& buffer : module.buffers()) buffers_.push_back(buffer.detach());
  const auto remembering = [this](const at::Tensor& images) {
    random_.emplace_back(images.device());
    return network_(images);
  };
  rows_ = rows_in_parts(remembering, views_, parts_).requires_grad_();
}

void PartedPass::backward(std::int64_t part) {
  if (!rows_.grad().defined()) throw std::logic_error("PartedPass: backward before that of the loss.");
  const RandomState now(rows_.device());
  std::vector<at::Tensor> statistics;
  for (const at::Tensor& buffer : buffers_) statistics.push_back(buffer.clone());
  random_.at(static_cast<std::size_t>(part)).restore();
  {
    const at::AutoGradMode with_gradient(true);
    const at::Tensor rows = network_(images_of(views_, parts_, part));  // [V n, d]
    rows.backward(part_of_each_view(by_view(rows_.grad(), views_.size()), parts_, part).flatten(0, 1));
  }
  // Behind backward, which may read them as the pass left them.
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(statistics[i]);
  now.restore();
}

}  // namespace negatron
