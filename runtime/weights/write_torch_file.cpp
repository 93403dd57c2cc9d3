#include "runtime/weights/write_torch_file.h"

#include <exception>
#include <memory>
#include <span>

#include <caffe2/serialize/inline_container.h>
#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"
#include "runtime/weights/state_dict_pickle.h"

namespace negatron {
namespace {

NamedWeights contiguous_on_host(const NamedWeights& weights) {
  NamedWeights made = weights;
  for (auto& [name, tensor] : made) tensor = tensor.detach().to(at::kCPU).contiguous();
  return made;
}

}  // namespace

void write_torch_file(FileLayer& files, const std::filesystem::path& path, const NamedWeights& weights,
                      const WeightsFacts& facts) {
  const NamedWeights values = contiguous_on_host(weights);
  const std::string pickle = state_dict_pickle(values);
  const std::string said = json_text(nlohmann::json(facts));
  const std::unique_ptr<OutputFile> file = files.create(path);
  // What goes wrong while writing is told behind the archive, which is good for nothing then: its destructor writes
  // too, and would end the process where it cannot.
  std::exception_ptr failure;
  const auto append = [&](const void* bytes, std::size_t count) {
    if (failure) return count;
    try {
      file->append({static_cast<const std::byte*>(bytes), count});
    } catch (const SnapshotError&) {
      failure = std::current_exception();
    }
    return count;
  };
  {
    caffe2::serialize::PyTorchStreamWriter archive(append);
    archive.writeRecord("data.pkl", pickle.data(), pickle.size());
    archive.writeRecord("byteorder", "little", std::string_view("little").size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const at::Tensor& tensor = values[i].second;
      archive.writeRecord("data/" + std::to_string(i), tensor.const_data_ptr(), tensor.nbytes());
    }
    archive.writeRecord(std::string(kTorchFacts), said.data(), said.size());
    archive.writeEndOfFile();
  }
  if (failure) std::rethrow_exception(failure);
  file->sync();
  file->close();
}

}  // namespace negatron
