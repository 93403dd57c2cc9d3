#include "runtime/matrices/matrix_file.h"

#include "runtime/matrices/npy_file.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"

namespace negatron {
namespace {

class Hdf5Matrix : public MatrixFile {
 public:
  Hdf5Matrix(const std::filesystem::path& path, const std::string& dataset, Hdf5Filters filters)
      : file_(path, filters), dataset_(dataset) {
    const std::string name = "'" + path.string() + "'";
    if (dataset_.empty()) {
      const std::vector<std::string> names = file_.names("/");
      if (names.size() != 1) {
        std::string list;
        for (const std::string& one : names) list += (list.empty() ? "" : ", ") + one;
        throw SnapshotError(name + " holds " + (names.empty() ? "nothing" : list) +
                            "; --dataset says which one is the bank.");
      }
      dataset_ = names.front();
    }
    if (!file_.has(dataset_)) throw SnapshotError(name + " has no dataset '" + dataset_ + "' (--dataset).");
    const Hdf5Reader::Dataset found = file_.dataset(dataset_);
    const std::string whole = "'" + dataset_ + "' of " + name;
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

  std::int64_t rows() const override { return rows_; }
  std::int64_t columns() const override { return columns_; }
  at::ScalarType dtype() const override { return dtype_; }
  at::Tensor read_rows(std::int64_t begin, std::int64_t count) const override {
    return file_.read_rows(dataset_, begin, count);
  }
  at::Tensor read_columns(std::int64_t begin, std::int64_t count) const override {
    return file_.read_columns(dataset_, begin, count);
  }

 private:
  Hdf5Reader file_;
  std::string dataset_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  at::ScalarType dtype_ = at::kFloat;
};

}  // namespace

std::unique_ptr<MatrixFile> open_matrix(const FileLayer& files, const std::filesystem::path& path,
                                        const std::string& dataset, Hdf5Filters filters) {
  // By content and not by name. A file too short to tell is left to HDF5, which says what is wrong with it.
  if (begins_like_npy(files, path)) {
    if (!dataset.empty()) {
      throw SnapshotError("'" + path.string() + "' is a .npy file, which has no --dataset '" + dataset + "'.");
    }
    return std::make_unique<NpyFile>(files, path);
  }
  return std::make_unique<Hdf5Matrix>(path, dataset, filters);
}

}  // namespace negatron
