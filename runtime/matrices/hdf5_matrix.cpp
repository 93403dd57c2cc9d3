#include "runtime/matrices/hdf5_matrix.h"

#include <vector>

#include "runtime/matrices/matrix_choice.h"

namespace negatron {
namespace {

/// Groups may hold each other, and somebody else's file may hold any number of them.
constexpr int kDeepest = 16;
constexpr std::size_t kMostLookedAt = 1000;
constexpr const char* kDatasetFlag = "--dataset";

/// Adds the datasets of a group and of the groups in it. What cannot be read is left out here: it is refused, with the
/// reason, where it is named.
void add_datasets(const Hdf5Reader& file, const std::string& group, int depth, std::size_t& looked_at,
                  std::vector<NamedShape>& found) {
  for (const std::string& name : file.names(group.empty() ? "/" : group)) {
    if (++looked_at > kMostLookedAt) return;
    const std::string path = group.empty() ? name : group + "/" + name;
    try {
      if (!file.is_group(path)) {
        const Hdf5Reader::Dataset dataset = file.dataset(path);
        found.push_back({path, dataset.dtype, dataset.shape});
      } else if (depth < kDeepest) {
        add_datasets(file, path, depth + 1, looked_at, found);
      }
    } catch (const SnapshotError&) {
      continue;
    }
  }
}

std::vector<NamedShape> datasets_in(const Hdf5Reader& file) {
  std::vector<NamedShape> found;
  std::size_t looked_at = 0;
  add_datasets(file, "", 0, looked_at, found);
  return found;
}

/// Where nothing that could be read is found, the only name at the top, so that the reason is told.
std::string chosen_dataset(const Hdf5Reader& file, const std::filesystem::path& path, const std::string& wanted) {
  if (!wanted.empty() && file.has(wanted) && !file.is_group(wanted)) return wanted;
  const std::vector<NamedShape> held = datasets_in(file);
  if (held.empty() && wanted.empty()) {
    const std::vector<std::string> names = file.names("/");
    if (names.size() == 1) return names.front();
  }
  return choose_matrix(path, held, wanted, kDatasetFlag);
}

}  // namespace

Hdf5Matrix::Hdf5Matrix(const std::filesystem::path& path, const std::string& dataset, Hdf5Filters filters)
    : file_(path, filters), dataset_(chosen_dataset(file_, path, dataset)) {
  const Hdf5Reader::Dataset found = file_.dataset(dataset_);
  const std::string whole = "'" + dataset_ + "' of '" + path.string() + "'";
  if (found.shape.size() != 2) {
    throw SnapshotError(whole + " has " + std::to_string(found.shape.size()) +
                        " dimensions; 2 are expected, rows and columns.");
  }
  if (!at::isFloatingType(found.dtype)) throw SnapshotError(whole + " does not hold fp16, bf16, fp32 or fp64.");
  if (found.shape[0] < 1 || found.shape[1] < 1) throw SnapshotError(whole + " holds no rows.");
  rows_ = found.shape[0];
  columns_ = found.shape[1];
  dtype_ = found.dtype;
}

}  // namespace negatron
