#include "runtime/matrices/weights_matrix.h"

#include <vector>

#include "runtime/matrices/held_matrix.h"
#include "runtime/matrices/matrix_choice.h"
#include "runtime/weights/saved_weights.h"

namespace negatron {

std::unique_ptr<MatrixFile> open_weights_matrix(const std::filesystem::path& path, const MatrixRequest& request) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (!error) require_held(static_cast<std::int64_t>(bytes), request, "'" + path.string() + "'");
  const SavedWeights tensors = read_saved_tensors(path);
  std::vector<NamedShape> held;
  for (const auto& [name, tensor] : tensors) held.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  const std::string chosen = choose_matrix(path, held, request.name, "--key");
  const at::Tensor& tensor = tensors.at(chosen);
  const std::string whole = "'" + chosen + "' of '" + path.string() + "'";
  if (tensor.dim() != 2) {
    throw SnapshotError(whole + " has " + std::to_string(tensor.dim()) +
                        " dimensions; 2 are expected, rows and columns.");
  }
  if (!at::isFloatingType(tensor.scalar_type())) {
    throw SnapshotError(whole + " does not hold fp16, bf16, fp32 or fp64.");
  }
  if (tensor.numel() == 0) throw SnapshotError(whole + " holds no rows.");
  // Its own values and no others: a tensor of a file may be a view of a larger one.
  return std::make_unique<HeldMatrix>(tensor.clone(at::MemoryFormat::Contiguous));
}

}  // namespace negatron
