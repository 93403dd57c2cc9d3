#include "runtime/snapshots/hdf5/hdf5_create.h"

namespace negatron {
namespace {

void write_attribute(const Hdf5Handle& object, const std::string& name, const Hdf5Handle& type, const void* value) {
  const Hdf5Handle space = make_space({});
  const Hdf5Handle made(H5Acreate2(object.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
                        H5Aclose, "making the attribute '" + name + "'");
  hdf5_ok(H5Awrite(made.get(), type.get(), value), "writing the attribute '" + name + "'");
}

}  // namespace

Hdf5Handle create_hdf5(const std::string& path) {
  const Hdf5Handle properties(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "making file properties");
  hdf5_ok(H5Pset_obj_track_times(properties.get(), false), "asking for no times");
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "making access properties");
  // Closing fails while an object of the file is still open. By default HDF5 would only put it off, and the bytes that
  // are read out next would not be those of a finished file.
  hdf5_ok(H5Pset_fclose_degree(access.get(), H5F_CLOSE_SEMI), "asking for a strict close");
  // The path of a MemoryFile is a link to a file without a name, which HDF5's usual driver wants to know.
  hdf5_ok(H5Pset_fapl_stdio(access.get()), "choosing a driver");
  // Otherwise small datasets go into gaps before larger ones, and not behind each other.
  hdf5_ok(H5Pset_small_data_block_size(access.get(), 0), "asking for data in order");
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.get(), access.get()), H5Fclose, "making a file"};
}

void create_group(const Hdf5Handle& file, const std::string& path) {
  const Hdf5Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "making group properties");
  hdf5_ok(H5Pset_obj_track_times(properties.get(), false), "asking for no times");
  const Hdf5Handle made(H5Gcreate2(file.get(), path.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), H5Gclose,
                        "making the group '" + path + "'");
}

void create_attribute(const Hdf5Handle& file, const Hdf5Attribute& attribute) {
  const Hdf5Handle object(H5Oopen(file.get(), attribute.object.c_str(), H5P_DEFAULT), H5Oclose,
                          "opening '" + attribute.object + "'");
  if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    write_attribute(object, attribute.name, hdf5_type(at::kLong), integer);
  } else if (const auto* real = std::get_if<double>(&attribute.value)) {
    write_attribute(object, attribute.name, hdf5_type(at::kDouble), real);
  } else {
    const auto& text = std::get<std::string>(attribute.value);
    // c_str: of an empty text HDF5 reads one byte.
    write_attribute(object, attribute.name, hdf5_text_type(text.size()), text.c_str());
  }
}

Hdf5Handle make_space(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose, "making a scalar space"};
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, "making a space"};
}

}  // namespace negatron
