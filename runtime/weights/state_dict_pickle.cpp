#include "runtime/weights/state_dict_pickle.h"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

#include "runtime/weights/pickle_codes.h"
#include "runtime/weights/torch_storages.h"

namespace negatron {
namespace {

constexpr unsigned char kProtocolVersion = 2;

class StateDictPickle {
 public:
  std::string of(const NamedWeights& weights) {
    code(pickle_code::kProtocol);
    bytes_ += static_cast<char>(kProtocolVersion);
    ordered_dict();
    code(pickle_code::kMark);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      text(weights[i].first);
      tensor(weights[i].first, weights[i].second, std::to_string(i));
    }
    code(pickle_code::kSetItems);
    code(pickle_code::kStop);
    return std::move(bytes_);
  }

 private:
  void code(unsigned char value) { bytes_ += static_cast<char>(value); }

  void little_endian(std::uint64_t value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }

  void global(const std::string& module, const std::string& name) {
    code(pickle_code::kGlobalName);
    bytes_ += module + "\n" + name + "\n";
  }

  void text(const std::string& value) {
    code(pickle_code::kBinUnicode);
    little_endian(value.size(), sizeof(std::uint32_t));
    bytes_ += value;
  }

  void number(std::int64_t value) {
    if (value <= std::numeric_limits<std::int32_t>::max()) {
      code(pickle_code::kBinInt);
      little_endian(static_cast<std::uint64_t>(value), sizeof(std::int32_t));
    } else {
      code(pickle_code::kLong1);
      bytes_ += static_cast<char>(sizeof value);
      little_endian(static_cast<std::uint64_t>(value), sizeof value);
    }
  }

  void numbers(at::IntArrayRef values) {
    code(pickle_code::kMark);
    for (const std::int64_t value : values) number(value);
    code(pickle_code::kTuple);
  }

  /// An empty one.
  void ordered_dict() {
    global("collections", "OrderedDict");
    code(pickle_code::kEmptyTuple);
    code(pickle_code::kReduce);
  }

  /// _rebuild_tensor_v2(values, offset, sizes, strides, requires_grad, hooks of backward)
  void tensor(const std::string& name, const at::Tensor& tensor, const std::string& key) {
    global("torch._utils", "_rebuild_tensor_v2");
    code(pickle_code::kMark);
    values(name, tensor, key);
    number(0);
    numbers(tensor.sizes());
    numbers(tensor.strides());
    code(pickle_code::kFalse);
    ordered_dict();
    code(pickle_code::kTuple);
    code(pickle_code::kReduce);
  }

  /// The pointer ("storage", class, key, device, how many).
  void values(const std::string& name, const at::Tensor& tensor, const std::string& key) {
    code(pickle_code::kMark);
    text("storage");
    global("torch", storage_class(name, tensor.scalar_type()));
    text(key);
    text("cpu");
    number(tensor.numel());
    code(pickle_code::kTuple);
    code(pickle_code::kBinPersistent);
  }

  static const char* storage_class(const std::string& name, at::ScalarType dtype) {
    for (const auto& [known, of_dtype] : kTorchStorages) {
      if (of_dtype == dtype) return known;
    }
    throw std::invalid_argument("'" + name + "' is of " + c10::toString(dtype) + ", which no state dict holds.");
  }

  std::string bytes_;
};

}  // namespace

std::string state_dict_pickle(const NamedWeights& weights) {
  return StateDictPickle().of(weights);
}

}  // namespace negatron
