#include "runtime/snapshots/trainer_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// The order of the tensors, which a group does not keep.
constexpr const char* kOrder = "tensor_order";

ByteSource bytes_of(const void* begin) {
  return [next = static_cast<const std::byte*>(begin)](std::size_t count) mutable {
    const std::span<const std::byte> bytes(next, count);
    next += count;
    return bytes;
  };
}

void check_name(const std::string& name) {
  // A point alone would be the group itself; HDF5 ends names at a null byte.
  const bool good =
      !name.empty() && name != "." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (!good) throw SnapshotError("'" + shown_text(name) + "' cannot be a name in a snapshot.");
}

Hdf5Dataset text_dataset(const std::string& path, const std::string& text) {
  Hdf5Dataset dataset;
  dataset.path = path;
  dataset.text = true;
  // The null byte at the end tells an empty text from none.
  dataset.shape = {static_cast<std::int64_t>(text.size()) + 1};
  dataset.bytes = bytes_of(text.c_str());
  return dataset;
}

std::string read_terminated(const Hdf5Reader& file, const std::string& path) {
  std::string text = file.read_text(path);
  if (text.empty() || text.back() != '\0') throw SnapshotError("The text '" + path + "' of a snapshot has no end.");
  text.pop_back();
  return text;
}

}  // namespace

TrainerState host_copy(const TrainerState& state) {
  TrainerState copy = state;
  for (auto& [name, tensor] : copy.tensors) {
    // A copy also of what is on the host already: the trainer goes on changing its tensors in place while they are
    // written.
    tensor = tensor.detach().to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true).contiguous();
  }
  return copy;
}

FileDigest write_trainer_file(FileLayer& files, const std::filesystem::path& path, const TrainerState& state,
                              const FileWriting& writing) {
  Hdf5Layout plan;
  plan.groups = {"tensors", "text", "numbers"};
  std::set<std::string> seen;
  nlohmann::json order = nlohmann::json::array();
  for (const auto& [name, tensor] : state.tensors) {
    check_name(name);
    if (!seen.insert(name).second) throw SnapshotError("The tensor '" + name + "' is given to the snapshot twice.");
    order.push_back(name);
    Hdf5Dataset dataset;
    dataset.path = "tensors/" + name;
    dataset.dtype = tensor.scalar_type();
    dataset.shape = tensor.sizes().vec();
    dataset.bytes = bytes_of(tensor.const_data_ptr());
    plan.datasets.push_back(std::move(dataset));
  }
  for (const auto& [name, text] : state.text) {
    check_name(name);
    plan.datasets.push_back(text_dataset("text/" + name, text));
  }
  // It lives until write_hdf5 returns, as all texts do whose bytes the plan only points to.
  const std::string order_text = order.dump();
  plan.datasets.push_back(text_dataset(kOrder, order_text));
  for (const auto& [name, number] : state.numbers) {
    check_name(name);
    Hdf5Attribute attribute{"numbers", name, {}};
    std::visit([&](auto value) { attribute.value = value; }, number);
    plan.attributes.push_back(std::move(attribute));
  }
  return write_hdf5(files, path, plan, writing);
}

TrainerState read_trainer_file(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  TrainerState state;
  const nlohmann::json order = nlohmann::json::parse(read_terminated(file, kOrder), nullptr, false);
  if (!order.is_array() || order.size() != file.names("tensors").size()) {
    throw SnapshotError("'" + path.string() + "' does not hold the tensors that it lists.");
  }
  for (const nlohmann::json& name : order) {
    if (!name.is_string()) throw SnapshotError("'" + path.string() + "' lists a tensor without a name.");
    state.tensors.emplace_back(name.get<std::string>(), file.read("tensors/" + name.get<std::string>()));
  }
  for (const std::string& name : file.names("text")) state.text[name] = read_terminated(file, "text/" + name);
  for (const std::string& name : file.attribute_names("numbers")) {
    const auto value = file.attribute("numbers", name);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      state.numbers[name] = *integer;
    } else if (const auto* real = std::get_if<double>(&value)) {
      state.numbers[name] = *real;
    } else {
      throw SnapshotError("The number '" + shown_text(name) + "' of '" + path.string() + "' is a text.");
    }
  }
  return state;
}

std::string read_trainer_text(const std::filesystem::path& path, const std::string& name) {
  const Hdf5Reader file(path);
  const std::vector<std::string> names = file.names("text");
  if (std::find(names.begin(), names.end(), name) == names.end()) return {};
  return read_terminated(file, "text/" + name);
}

}  // namespace negatron
