#include "runtime/snapshots/hdf5/hdf5_reader.h"

#include <algorithm>

#include "runtime/snapshots/hdf5/checked_dataset.h"
#include "runtime/snapshots/hdf5/hdf5_types.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

constexpr hsize_t kMostNames = 1 << 20;
constexpr std::size_t kMostAttributeBytes = 1 << 16;

/// For H5Literate and H5Aiterate: exceptions must not cross C.
struct Names {
  std::vector<std::string> found;
};

herr_t keep_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<Names*>(names)->found.emplace_back(name);
  return 0;
}

herr_t keep_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<Names*>(names)->found.emplace_back(name);
  return 0;
}

}  // namespace

struct Hdf5Reader::State : CheckedFile {};

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path, Hdf5Filters filters) : state_(std::make_unique<State>()) {
  const Hdf5Lock lock;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) throw SnapshotError("Could not open '" + path.string() + "': " + error.message() + ".");
  state_->path = path;
  state_->filters = filters;
  state_->bytes = static_cast<std::int64_t>(bytes);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "making access properties");
  // Shared file systems often have no locks, and nobody writes to a finished snapshot.
  hdf5_ok(H5Pset_file_locking(access.get(), false, true), "switching off file locks");
  // The usual driver asks for the name of what a link leads to, and a file in memory has none.
  const bool is_nameless = std::filesystem::canonical(path, error).empty();
  if (is_nameless) hdf5_ok(H5Pset_fapl_stdio(access.get()), "choosing a driver");
  state_->handle = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, "opening '" + path.string() + "'"};
}

Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;

Hdf5Reader::~Hdf5Reader() {
  if (!state_) return;
  const Hdf5Lock lock;
  state_.reset();
}

Hdf5Reader::Dataset Hdf5Reader::dataset(const std::string& path) const {
  const Hdf5Lock lock;
  const CheckedDataset opened = state_->open(path);
  return {state_->dtype_of(path, opened), opened.shape};
}

at::Tensor Hdf5Reader::read(const std::string& path) const {
  const Hdf5Lock lock;
  const CheckedDataset opened = state_->open(path);
  // The type in memory is that of the file, so HDF5 copies bytes, and converts nothing but their order where that may
  // be another.
  at::Tensor result = at::empty(opened.shape, state_->dtype_of(path, opened));
  if (result.numel() == 0) return result;
  state_->check_block(path, opened, std::vector<std::int64_t>(opened.shape.size(), 0), opened.shape);
  hdf5_ok(H5Dread(opened.dataset.get(), hdf5_type(result.scalar_type()).get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                  result.mutable_data_ptr()),
          "reading " + state_->of(path));
  return result;
}

at::Tensor Hdf5Reader::read_rows(const std::string& path, std::int64_t begin, std::int64_t count) const {
  return read_slab(path, 0, begin, count);
}

at::Tensor Hdf5Reader::read_columns(const std::string& path, std::int64_t begin, std::int64_t count) const {
  return read_slab(path, 1, begin, count);
}

at::Tensor Hdf5Reader::read_slab(const std::string& path, std::size_t dimension, std::int64_t begin,
                                 std::int64_t count) const {
  const Hdf5Lock lock;
  const CheckedDataset opened = state_->open(path);
  if (opened.shape.size() <= dimension || begin < 0 || count < 0 || count > opened.shape[dimension] - begin) {
    state_->refuse(path, std::string("it has no ") + (dimension == 0 ? "rows " : "columns ") + std::to_string(begin) +
                             " to " + std::to_string(begin + count));
  }
  std::vector<std::int64_t> shape = opened.shape;
  shape[dimension] = count;
  at::Tensor result = at::empty(shape, state_->dtype_of(path, opened));
  if (result.numel() == 0) return result;
  // All of every other dimension: of [K, d] rows [begin, begin + count) give [count, d], columns [K, count].
  std::vector<hsize_t> start(shape.size(), 0);
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  start[dimension] = static_cast<hsize_t>(begin);
  state_->check_block(path, opened, {start.begin(), start.end()}, shape);
  const Hdf5Handle memory(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose,
                          "making a space");
  hdf5_ok(H5Sselect_hyperslab(opened.space.get(), H5S_SELECT_SET, start.data(), nullptr, sizes.data(), nullptr),
          "selecting rows of " + state_->of(path));
  hdf5_ok(H5Dread(opened.dataset.get(), hdf5_type(result.scalar_type()).get(), memory.get(), opened.space.get(),
                  H5P_DEFAULT, result.mutable_data_ptr()),
          "reading " + state_->of(path));
  return result;
}

std::string Hdf5Reader::read_text(const std::string& path) const {
  const Hdf5Lock lock;
  const CheckedDataset opened = state_->open(path);
  const htri_t variable = H5Tis_variable_str(opened.type.get());
  if (H5Tget_class(opened.type.get()) != H5T_STRING || variable != 0 || opened.elements != 1) {
    state_->refuse(path, "it is not one text of fixed length");
  }
  std::string text(H5Tget_size(opened.type.get()), '\0');
  hdf5_ok(H5Dread(opened.dataset.get(), opened.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()),
          "reading " + state_->of(path));
  return text;
}

bool Hdf5Reader::has(const std::string& path) const {
  const Hdf5Lock lock;
  // HDF5 fails where what is before the last name is not there.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const htri_t found = H5Lexists(state_->handle.get(), path.substr(0, end).c_str(), H5P_DEFAULT);
    hdf5_ok(found, "looking for " + state_->of(path));
    if (found <= 0 || end == std::string::npos) return found > 0;
    if (!is_group_object(path.substr(0, end))) return false;
  }
}

bool Hdf5Reader::is_group(const std::string& path) const {
  const Hdf5Lock lock;
  return is_group_object(path);
}

bool Hdf5Reader::is_group_object(const std::string& path) const {
  H5L_info_t link;
  hdf5_ok(H5Lget_info(state_->handle.get(), path.c_str(), &link, H5P_DEFAULT), "finding " + state_->of(path));
  if (link.type != H5L_TYPE_HARD) return false;
  H5O_info_t object;
  hdf5_ok(H5Oget_info_by_name(state_->handle.get(), path.c_str(), &object, H5P_DEFAULT),
          "looking at " + state_->of(path));
  return object.type == H5O_TYPE_GROUP;
}

std::vector<std::string> Hdf5Reader::names(const std::string& group) const {
  const Hdf5Lock lock;
  state_->follow(group);
  const Hdf5Handle opened(H5Gopen2(state_->handle.get(), group.c_str(), H5P_DEFAULT), H5Gclose,
                          "opening " + state_->of(group));
  H5G_info_t info;
  hdf5_ok(H5Gget_info(opened.get(), &info), "counting " + state_->of(group));
  if (info.nlinks > kMostNames) state_->refuse(group, "it has too many names");
  Names names;
  names.found.reserve(info.nlinks);
  hdf5_ok(H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep_link, &names),
          "listing " + state_->of(group));
  return names.found;
}

std::variant<std::int64_t, double, std::string> Hdf5Reader::attribute(const std::string& object,
                                                                      const std::string& name) const {
  const Hdf5Lock lock;
  state_->follow(object);
  const std::string full = object + "@" + name;
  const Hdf5Handle opened(H5Aopen_by_name(state_->handle.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                          H5Aclose, "opening the attribute " + state_->of(full));
  const Hdf5Handle type(H5Aget_type(opened.get()), H5Tclose, "reading the type of " + state_->of(full));
  const Hdf5Handle space(H5Aget_space(opened.get()), H5Sclose, "reading the shape of " + state_->of(full));
  if (H5Sget_simple_extent_npoints(space.get()) != 1) state_->refuse(full, "it is not one value");
  const std::string reading = "reading " + state_->of(full);
  if (H5Tget_class(type.get()) == H5T_STRING) {
    if (H5Tis_variable_str(type.get()) != 0) state_->refuse(full, "it is a text of variable length");
    if (H5Tget_size(type.get()) > kMostAttributeBytes) state_->refuse(full, "it is too long");
    std::string text(H5Tget_size(type.get()), '\0');
    hdf5_ok(H5Aread(opened.get(), type.get(), text.data()), reading);
    text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
    return text;
  }
  const std::optional<at::ScalarType> dtype = scalar_type(type);
  if (dtype == at::kLong) {
    std::int64_t value = 0;
    hdf5_ok(H5Aread(opened.get(), type.get(), &value), reading);
    return value;
  }
  if (dtype != at::kDouble) state_->refuse(full, "it is no int64, no fp64 and no text");
  double value = 0.0;
  hdf5_ok(H5Aread(opened.get(), type.get(), &value), reading);
  return value;
}

std::int64_t Hdf5Reader::integer_attribute(const std::string& object, const std::string& name) const {
  const auto value = attribute(object, name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  state_->refuse(object + "@" + name, "it is not an integer");
}

std::vector<std::string> Hdf5Reader::attribute_names(const std::string& object) const {
  const Hdf5Lock lock;
  state_->follow(object);
  state_->check_attributes(object);
  Names names;
  hdf5_ok(H5Aiterate_by_name(state_->handle.get(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep_attribute,
                             &names, H5P_DEFAULT),
          "listing the attributes of " + state_->of(object));
  return names.found;
}

}  // namespace negatron
