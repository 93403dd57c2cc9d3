#include "runtime/encoders/norms/group_norm_relu.h"

#include <torch/autograd.h>

#include "runtime/encoders/norms/group_norm_kernel.h"
#include "samplers/cpu/task_threads.h"

namespace negatron {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

ImageShape image_shape(const at::Tensor& maps, std::int64_t groups) {
  return {maps.size(2) * maps.size(3), maps.size(1), groups};
}

/// `body(image, scratch)` for every image, over this rank's threads.
template <typename Body>
void for_images(const at::Tensor& maps, const Body& body) {
  share_out(maps.size(0), [&](std::int64_t image) { body(image, thread_memory(3 * maps.size(1))); });
}

template <typename T>
T* image_of(const at::Tensor& tensor, std::int64_t image) {
  return static_cast<T*>(tensor.mutable_data_ptr()) + image * (tensor.numel() / tensor.size(0));
}

/// Of all images: maps and output [b, C, h, w], mean and inverse [b, groups]; the weight [C] is theirs together.
struct NormedMaps {
  at::Tensor maps, output, weight, mean, inverse;
};

/// by_maps [b, C, h, w]; by_weight and by_bias [b, C], a row for each image.
struct MapGradients {
  at::Tensor by_maps, by_weight, by_bias;
};

template <typename T>
void sweep_forward(const NormedMaps& of, const at::Tensor& bias) {
  for_images(of.maps, [&](std::int64_t image, float* scratch) {
    group_norm_relu(image_shape(of.maps, of.mean.size(1)),
                    GroupNormForward<T>{image_of<T>(of.maps, image), of.weight.const_data_ptr<float>(),
                                        bias.const_data_ptr<float>(), image_of<T>(of.output, image),
                                        image_of<float>(of.mean, image), image_of<float>(of.inverse, image)},
                    scratch);
  });
}

template <typename T>
void sweep_backward(const at::Tensor& arriving, const NormedMaps& of, const MapGradients& gradients) {
  for_images(of.maps, [&](std::int64_t image, float* scratch) {
    group_norm_relu_backward(
        image_shape(of.maps, of.mean.size(1)),
        GroupNormBackward<T>{image_of<T>(arriving, image), image_of<T>(of.maps, image), image_of<T>(of.output, image),
                             of.weight.const_data_ptr<float>(), image_of<float>(of.mean, image),
                             image_of<float>(of.inverse, image), image_of<T>(gradients.by_maps, image),
                             image_of<float>(gradients.by_weight, image), image_of<float>(gradients.by_bias, image)},
        scratch);
  });
}

class GroupNormRelu : public torch::autograd::Function<GroupNormRelu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& maps, std::int64_t groups,
                            const at::Tensor& weight, const at::Tensor& bias) {
    const at::Tensor output = at::empty_like(maps);
    const at::Tensor mean = at::empty({maps.size(0), groups}, weight.options());
    const at::Tensor inverse = at::empty_like(mean);
    const auto sweep = maps.scalar_type() == at::kBFloat16 ? sweep_forward<Bf16Bits> : sweep_forward<float>;
    sweep({maps, output, weight, mean, inverse}, bias);
    context->save_for_backward({maps, output, weight, mean, inverse});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list arriving) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& maps = saved[0];
    const at::Tensor& mean = saved[3];
    const at::Tensor by_maps = at::empty_like(maps);
    // A row for each image, summed by ATen in one order however images are spread over threads.
    const at::Tensor by_weight = at::empty({maps.size(0), maps.size(1)}, mean.options());
    const at::Tensor by_bias = at::empty_like(by_weight);
    const auto sweep = maps.scalar_type() == at::kBFloat16 ? sweep_backward<Bf16Bits> : sweep_backward<float>;
    sweep(arriving.front().contiguous(kChannelsLast), {maps, saved[1], saved[2], mean, saved[4]},
          {by_maps, by_weight, by_bias});
    return {by_maps, at::Tensor(), by_weight.sum(0), by_bias.sum(0)};
  }
};

}  // namespace

at::Tensor group_norm_relu(const at::Tensor& maps, std::int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias) {
  const at::ScalarType dtype = maps.scalar_type();
  const bool swept = maps.is_cpu() && (dtype == at::kBFloat16 || dtype == at::kFloat) &&
                     weight.scalar_type() == at::kFloat && maps.numel() > 0 && maps.is_contiguous(kChannelsLast);
  if (swept) return GroupNormRelu::apply(maps, groups, weight, bias);
  return at::group_norm(maps, groups, weight, bias).relu_();
}

}  // namespace negatron
