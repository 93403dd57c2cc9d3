#include "tests/support/stand_in_device.h"

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/library.h>

namespace negatron::testing {
namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
// No address of a process has this bit, so a look at such memory is a segmentation fault and not a wrong number.
constexpr std::uintptr_t kDeviceBit = std::uintptr_t{1} << 62;

thread_local c10::DeviceIndex current_device = 0;

void* device_address(void* host) {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(host) | kDeviceBit);
}

class DeviceAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* memory = bytes == 0 ? nullptr : device_address(c10::alloc_cpu(bytes));
    return {memory, memory, &release, c10::Device(kType, current_device)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(host_address(to), host_address(from), bytes);
  }

 private:
  static void release(void* memory) {
    if (memory != nullptr) c10::free_cpu(host_address(memory));
  }
};

DeviceAllocator& allocator() {
  static DeviceAllocator allocator;
  return allocator;
}

class DeviceGuard : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device device) const override {
    const c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override { return {kType, current_device}; }
  void setDevice(c10::Device device) const override { current_device = device.index(); }
  void uncheckedSetDevice(c10::Device device) const noexcept override { current_device = device.index(); }
  c10::Stream getStream(c10::Device device) const override { return c10::Stream(c10::Stream::DEFAULT, device); }
  c10::Stream getDefaultStream(c10::Device device) const override { return getStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return getStream(stream.device()); }
  c10::DeviceIndex deviceCount() const noexcept override { return kStandInDevices; }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, DeviceGuard)

class DeviceHooks : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return kStandInDevices; }
  c10::DeviceIndex getCurrentDevice() const override { return current_device; }
  // All memory of the host is pinned here.
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetAllocator(c10::kCPU); }
};

/// What waits for a device is written down here, unless the stand-in itself copies to run an operator.
class Waits {
 public:
  void add(const std::string& what) {
    if (inside > 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++counts_[what];
  }
  std::map<std::string, std::int64_t> counts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }

  class Inside {
   public:
    Inside() { ++inside; }
    ~Inside() { --inside; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
  };

 private:
  static thread_local int inside;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> counts_;
};

thread_local int Waits::inside = 0;

Waits& waits() {
  static Waits waits;
  return waits;
}

/// The bytes of a tensor of either side as a host tensor.
at::Tensor as_host_tensor(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(host_address(tensor.const_data_ptr()), tensor.sizes(), tensor.strides(),
                       tensor.options().device(at::kCPU).requires_grad(false));
}

c10::Device chosen(const std::optional<c10::Device>& device) {
  return device && device->has_index() ? *device : c10::Device(kType, current_device);
}

at::Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device> device, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  const c10::DeviceGuard guard(chosen(device));
  return at::detail::empty_generic(sizes, &allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device> device, std::optional<bool>) {
  const c10::DeviceGuard guard(chosen(device));
  return at::detail::empty_strided_generic(
      sizes, strides, &allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(dtype));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  if (from.is_cpu() != to.is_cpu() && from.numel() > 0 && !non_blocking) {
    waits().add(to.is_cpu() ? "copy to the host" : "copy to the device");
  }
  as_host_tensor(to).copy_(as_host_tensor(from));
  return to;
}

const at::Tensor& resized(const at::Tensor& tensor, at::IntArrayRef sizes, std::optional<at::MemoryFormat>) {
  if (tensor.sizes() == sizes) return tensor;
  const at::Tensor made = at::empty(sizes, tensor.options());
  tensor.unsafeGetTensorImpl()->set_storage_keep_dtype(made.storage());
  tensor.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
  return tensor;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  resized(to, from.sizes(), std::nullopt);
  waits().add(to.is_cpu() ? "copy to the host" : "copy to the device");
  return copy_from(from, to, /*non_blocking=*/true);
}

at::Scalar local_scalar(const at::Tensor& tensor) {
  waits().add("number");
  return as_host_tensor(tensor).item();
}

/// Like a GPU's, operators take host scalars and, as indices, host tensors beside device tensors, and nothing else of
/// the host.
void refuse_both_sides(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  const std::string name = op.schema().name();
  const std::size_t arguments = op.schema().arguments().size();
  for (std::size_t i = stack.size() - arguments; i < stack.size(); ++i) {
    std::vector<at::Tensor> tensors;
    if (stack[i].isTensor()) tensors = {stack[i].toTensor()};
    if (stack[i].isTensorList()) tensors = stack[i].toTensorVector();
    for (const at::Tensor& tensor : tensors) {
      if (tensor.defined() && tensor.is_cpu() && tensor.dim() > 0) {
        throw std::logic_error(name + " of tensors of the host and of a device");
      }
    }
  }
}

/// On a GPU this operator fails without the saved mean and deviation, which a CPU does not read.
void refuse_missing_statistics(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  if (op.schema().name() != "aten::native_batch_norm_backward") return;
  const std::size_t first = stack.size() - op.schema().arguments().size();
  for (const std::size_t argument : {std::size_t{5}, std::size_t{6}}) {
    const c10::IValue& statistics = stack[first + argument];
    if (!statistics.isTensor() || !statistics.toTensor().defined()) {
      throw std::logic_error("native_batch_norm_backward without saved statistics");
    }
  }
}

/// Their results' sizes, or their one number, depend on the numbers: a GPU's host waits for these.
bool looks_at_numbers(const c10::OperatorHandle& op) {
  static const std::set<std::string> names = {"aten::nonzero",           "aten::masked_select", "aten::equal",
                                              "aten::_unique2",          "aten::unique_dim",    "aten::bincount",
                                              "aten::unique_consecutive"};
  return names.count(op.schema().name()) > 0;
}

void run_on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  if (looks_at_numbers(op)) waits().add(op.schema().name());
  const Waits::Inside inside;
  refuse_both_sides(op, *stack);
  refuse_missing_statistics(op, *stack);
  at::native::cpu_fallback(op, stack);
}

void register_device() {
  static std::once_flag once;
  std::call_once(once, [] {
    c10::SetAllocator(kType, &allocator());
    c10::register_privateuse1_backend("stand_in");
    static DeviceHooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
  });
}

/// ATen leaves convolutions on a device that it does not know to whoever brings the device.
at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, std::int64_t groups) {
  const Waits::Inside inside;
  const auto host_bias = bias && bias->defined() ? std::optional<at::Tensor>(bias->cpu()) : std::nullopt;
  return at::convolution(input.cpu(), weight.cpu(), host_bias, stride, padding, dilation, transposed, output_padding,
                         groups)
      .to(input.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(const at::Tensor& arriving, const at::Tensor& input,
                                                                    const at::Tensor& weight, at::IntArrayRef stride,
                                                                    at::IntArrayRef padding, at::IntArrayRef dilation,
                                                                    bool transposed, at::IntArrayRef output_padding,
                                                                    std::int64_t groups, std::array<bool, 3> wanted) {
  const Waits::Inside inside;
  const auto [by_input, by_weight, by_bias] =
      at::convolution_backward(arriving.cpu(), input.cpu(), weight.cpu(), at::OptionalIntArrayRef(weight.size(0)),
                               stride, padding, dilation, transposed, output_padding, groups, wanted);
  const auto back = [&](const at::Tensor& tensor) { return tensor.defined() ? tensor.to(input.device()) : tensor; };
  return {back(by_input), back(by_weight), back(by_bias)};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("convolution_overrideable", TORCH_FN(convolution));
  library.impl("convolution_backward_overrideable", TORCH_FN(convolution_backward));
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("_copy_from", TORCH_FN(copy_from));
  library.impl("_copy_from_and_resize", TORCH_FN(copy_from_and_resize));
  library.impl("_local_scalar_dense", TORCH_FN(local_scalar));
  library.impl("resize_", TORCH_FN(resized));
  library.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_host>());
}

c10::Device stand_in_device(int index) {
  register_device();
  return {kType, static_cast<c10::DeviceIndex>(index)};
}

std::map<std::string, std::int64_t> stand_in_waits() {
  return waits().counts();
}

void* host_address(const void* address) {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(address) & ~kDeviceBit);
}

}  // namespace negatron::testing
