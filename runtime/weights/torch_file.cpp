#include "runtime/weights/torch_file.h"

#include <memory>
#include <optional>
#include <utility>

#include <caffe2/serialize/inline_container.h>
#include <nlohmann/json.hpp>

#include "runtime/weights/pickle.h"
#include "runtime/weights/torch_storages.h"
#include "runtime/weights/write_torch_file.h"

namespace negatron {
namespace {

using Kind = PickleValue::Kind;
using Values = std::vector<PickleValue*>;

/// Under which checkpoints keep their state dict, in the order in which they are looked for.
constexpr const char* kStateDicts[] = {"state_dict", "model", "model_state_dict", "module", "network", "net"};

std::optional<at::ScalarType> dtype_of_storage(const std::string& name) {
  constexpr std::string_view kModule = "torch.";
  for (const auto& [known, dtype] : kTorchStorages) {
    if (name.starts_with(kModule) && name.substr(kModule.size()) == known) return dtype;
  }
  return std::nullopt;
}

/// The whole numbers of a list; nothing where one is none of those, or negative.
std::optional<std::vector<std::int64_t>> numbers_of(const PickleValue& list) {
  std::vector<std::int64_t> numbers;
  for (const PickleValue* item : list.items) {
    if (item->kind != Kind::kNumber || item->number < 0) return std::nullopt;
    numbers.push_back(item->number);
  }
  return numbers;
}

/// Elements from the first of the storage to behind the last one of a tensor; nothing when they cannot be counted.
std::optional<std::int64_t> reach_of(std::int64_t offset, const std::vector<std::int64_t>& sizes,
                                     const std::vector<std::int64_t>& strides) {
  std::int64_t last = offset, elements = 1;
  for (std::size_t dim = 0; dim < sizes.size(); ++dim) {
    if (sizes[dim] == 0) return 0;
    std::int64_t steps = 0;
    if (__builtin_mul_overflow(elements, sizes[dim], &elements)) return std::nullopt;
    if (__builtin_mul_overflow(sizes[dim] - 1, strides[dim], &steps)) return std::nullopt;
    if (__builtin_add_overflow(last, steps, &last)) return std::nullopt;
  }
  // A stride of 0 would make much of little.
  if (last == std::numeric_limits<std::int64_t>::max() || elements > last - offset + 1) return std::nullopt;
  return last + 1;
}

class TorchFile {
 public:
  explicit TorchFile(const std::filesystem::path& path) : path_(path), archive_(path.string()) {
    if (archive_.hasRecord("constants.pkl")) {
      throw WeightsError("'" + path.string() +
                         "' is a TorchScript module and not a state dict; --encoder script:FILE trains it.");
    }
    length_ = std::filesystem::file_size(path);
  }

  /// Of the state dict.
  SavedWeights read() {
    const Pickle pickle = unpickled();
    const PickleValue* const dict = state_dict_in(pickle.whole());
    if (dict->kind != Kind::kDict) throw PickleError("what it holds is not a dict");
    SavedWeights weights;
    add_tensors(*dict, weights);
    if (weights.empty()) throw PickleError("there are no named tensors in it");
    return weights;
  }

  /// Of all there is.
  SavedWeights read_tensors() {
    const Pickle pickle = unpickled();
    const PickleValue& whole = pickle.whole();
    if (whole.kind == Kind::kTensor) return {{"tensor", whole.tensor}};
    SavedWeights tensors;
    add_tensors(whole, tensors);
    add_tensors(*state_dict_in(whole), tensors);
    if (tensors.empty()) throw PickleError("there are no named tensors in it");
    return tensors;
  }

  /// What of them are texts.
  WeightsFacts facts() {
    WeightsFacts facts;
    const std::string name(kTorchFacts);
    if (!archive_.hasRecord(name)) return facts;
    const Record bytes = record(name);
    const auto* text = static_cast<const char*>(bytes.values.get());
    const nlohmann::json said = nlohmann::json::parse(text, text + bytes.bytes, nullptr, /*allow_exceptions=*/false);
    if (!said.is_object()) return facts;
    for (const auto& [key, value] : said.items()) {
      if (value.is_string()) facts[key] = value.get<std::string>();
    }
    return facts;
  }

 private:
  struct Record {
    std::shared_ptr<void> values;
    std::size_t bytes = 0;
  };

  Pickle unpickled() {
    if (archive_.hasRecord("byteorder")) {
      const Record order = record("byteorder");
      if (std::string_view(static_cast<const char*>(order.values.get()), order.bytes) != "little") {
        throw PickleError("its bytes are not in little-endian order");
      }
    }
    const Record bytes = record("data.pkl");
    return Pickle(
        {static_cast<const char*>(bytes.values.get()), bytes.bytes},
        [this](const std::string& function, const Values& arguments) { return called(function, arguments); }, &storage);
  }

  /// The dict that checkpoints keep beside other things, or else all of it.
  static const PickleValue* state_dict_in(const PickleValue& whole) {
    for (const char* key : kStateDicts) {
      const PickleValue* const inner = whole.find(key);
      if (inner != nullptr && inner->kind == Kind::kDict) return inner;
    }
    return &whole;
  }

  /// Those that a dict holds by name; they take the places of others of their names.
  static void add_tensors(const PickleValue& dict, SavedWeights& tensors) {
    if (dict.kind != Kind::kDict) return;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue &key = *dict.items[i], &value = *dict.items[i + 1];
      if (key.kind == Kind::kText && value.kind == Kind::kTensor) tensors[key.text] = value.tensor;
    }
  }

  Record record(const std::string& name) {
    if (!archive_.hasRecord(name)) throw PickleError("it has no " + name);
    // torch.save stores and does not compress: a record that is longer than its file is meant to fill the memory.
    if (archive_.getRecordSize(name) > length_) throw PickleError("'" + name + "' is longer than the file");
    auto [values, bytes] = archive_.getRecord(name);
    const auto kept = std::make_shared<at::DataPtr>(std::move(values));
    return {std::shared_ptr<void>(kept, kept->get()), bytes};
  }

  PickleValue called(const std::string& function, const Values& arguments) {
    if (function == "collections.OrderedDict") return {.kind = Kind::kDict};
    if (function == "torch._utils._rebuild_tensor_v2" || function == "torch._utils._rebuild_tensor") {
      return tensor(arguments);
    }
    const bool is_parameter =
        function == "torch._utils._rebuild_parameter" || function == "torch._utils._rebuild_parameter_with_state";
    if (is_parameter && !arguments.empty()) return *arguments[0];
    // A subclass of a tensor, as a function with its arguments.
    if (function == "torch._tensor._rebuild_from_type_v2" && arguments.size() >= 3) {
      return called(arguments[0]->text, arguments[2]->items);
    }
    return {};
  }

  /// Of a pointer ("storage", type, key, device, elements).
  static PickleValue storage(const PickleValue& pointer) {
    const Values& parts = pointer.items;
    if (parts.size() < 5 || parts[0]->text != "storage" || parts[2]->kind != Kind::kText ||
        parts[4]->kind != Kind::kNumber) {
      return {};
    }
    const std::optional<at::ScalarType> dtype = dtype_of_storage(parts[1]->text);
    if (!dtype) return {};
    return {.kind = Kind::kStorage, .number = parts[4]->number, .text = parts[2]->text, .items = {}, .dtype = *dtype};
  }

  /// Of (storage, offset, sizes, strides, ...). Other storages than those above give no tensor.
  PickleValue tensor(const Values& arguments) {
    if (arguments.size() < 4 || arguments[0]->kind != Kind::kStorage) return {};
    const PickleValue& of = *arguments[0];
    const auto sizes = numbers_of(*arguments[2]), strides = numbers_of(*arguments[3]);
    const std::int64_t offset = arguments[1]->number;
    if (!sizes || !strides || sizes->size() != strides->size() || offset < 0) {
      throw PickleError("a tensor in it has no shape");
    }
    const std::optional<std::int64_t> reach = reach_of(offset, *sizes, *strides);
    auto found = storages_.find(of.text);
    if (found == storages_.end()) {
      // Without elements there is no need of a record, and torch.save may have written none.
      const bool empty = reach == 0;
      found = storages_.emplace(of.text, empty ? Record{} : record("data/" + of.text)).first;
    }
    const Record& values = found->second;
    const std::size_t held = values.bytes / at::elementSize(of.dtype);
    if (!reach || static_cast<std::uint64_t>(*reach) > held) {
      throw PickleError("a tensor in it reaches beyond its values");
    }
    PickleValue made{.kind = Kind::kTensor};
    if (*reach == 0) {
      made.tensor = at::empty(*sizes, at::dtype(of.dtype));
    } else {
      const std::shared_ptr<void> kept = values.values;
      made.tensor = at::from_blob(
                        kept.get(), {static_cast<std::int64_t>(held)}, [kept](void*) {}, at::dtype(of.dtype))
                        .as_strided(*sizes, *strides, offset);
    }
    return made;
  }

  std::filesystem::path path_;
  caffe2::serialize::PyTorchStreamReader archive_;
  std::uintmax_t length_ = 0;
  /// Of tensors, by their keys.
  std::map<std::string, Record> storages_;
};

/// What `read` finds in the file; what goes wrong in a sentence that names it.
template <typename Read>
auto reading(const std::filesystem::path& path, const Read& read) {
  const std::string name = "'" + path.string() + "' ";
  try {
    TorchFile file(path);
    return read(file);
  } catch (const PickleError& error) {
    throw WeightsError(name + "holds no state dict: " + error.what() +
                       "; in Python, torch.save(model.state_dict(), FILE) makes one.");
  } catch (const c10::Error& error) {
    const std::string text = error.msg();
    throw WeightsError(name + "cannot be read: " + text.substr(0, text.find('\n')));
  }
}

}  // namespace

SavedWeights read_torch_file(const std::filesystem::path& path) {
  return reading(path, [](TorchFile& file) { return file.read(); });
}

SavedWeights read_torch_tensors(const std::filesystem::path& path) {
  return reading(path, [](TorchFile& file) { return file.read_tensors(); });
}

WeightsFacts read_torch_facts(const std::filesystem::path& path) {
  return reading(path, [](TorchFile& file) { return file.facts(); });
}

}  // namespace negatron
