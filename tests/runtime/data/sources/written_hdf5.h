#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <hdf5.h>

#include <ATen/ATen.h>

#include "runtime/snapshots/hdf5/hdf5_handle.h"

namespace negatron::testing {

/// An HDF5 file that is being written.
class WrittenFile {
 public:
  explicit WrittenFile(const std::filesystem::path& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, "creating") {}

  void group(const std::string& name) {
    const Hdf5Handle made(H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, name);
  }
  /// uint8, int64, fp32 or fp64; in chunks of one row that are compressed, if asked for.
  void dataset(const std::string& name, const at::Tensor& values, bool packed = false) {
    const std::vector<hsize_t> sizes(values.sizes().begin(), values.sizes().end());
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, name);
    const Hdf5Handle storage(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, name);
    if (packed) {
      std::vector<hsize_t> chunk = sizes;
      chunk[0] = 1;
      hdf5_ok(H5Pset_chunk(storage.get(), static_cast<int>(chunk.size()), chunk.data()), name);
      hdf5_ok(H5Pset_shuffle(storage.get()), name);
      hdf5_ok(H5Pset_deflate(storage.get(), 4), name);
    }
    const hid_t type = type_of(values.scalar_type());
    const Hdf5Handle made(
        H5Dcreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, storage.get(), H5P_DEFAULT), H5Dclose,
        name);
    const at::Tensor flat = values.contiguous();
    hdf5_ok(H5Dwrite(made.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat.const_data_ptr()), name);
  }

 private:
  static hid_t type_of(at::ScalarType dtype) {
    if (dtype == at::kByte) return H5T_STD_U8LE;
    if (dtype == at::kFloat) return H5T_IEEE_F32LE;
    return dtype == at::kDouble ? H5T_IEEE_F64LE : H5T_STD_I64LE;
  }

  Hdf5Handle file_;
};

}  // namespace negatron::testing
