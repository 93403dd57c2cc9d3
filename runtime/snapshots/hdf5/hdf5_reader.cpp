#include "runtime/snapshots/hdf5/hdf5_reader.h"

#include <algorithm>
#include <limits>
#include <span>

#include "runtime/snapshots/hdf5/hdf5_handle.h"
#include "runtime/snapshots/hdf5/hdf5_types.h"
#include "runtime/snapshots/hdf5/packed_chunks.h"

namespace negatron {
namespace {

constexpr int kMostDimensions = 8;
constexpr hsize_t kMostNames = 1 << 20;
constexpr std::size_t kMostAttributeBytes = 1 << 16;
/// Deflate cannot make more out of one byte.
constexpr std::uint64_t kMaxDeflateRatio = 1032;

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

H5Z_filter_t filter_at(const Hdf5Handle& properties, int i) {
  unsigned flags = 0, config = 0;
  std::size_t values = 0;
  return H5Pget_filter2(properties.get(), static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
}

}  // namespace

struct Hdf5Reader::State {
  std::filesystem::path path;
  Hdf5Handle file;
  std::int64_t file_bytes = 0;
  Hdf5Filters filters = Hdf5Filters::kNone;

  std::string of(const std::string& name) const { return "'" + name + "' of '" + path.string() + "'"; }
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    throw SnapshotError(of(name) + " is refused: " + why + ".");
  }

  /// Every link on the way must be a hard one: others lead out of the file.
  /// Example: "tensors/conv1.weight" looks at "tensors" first and then at the whole. A soft or external link at either
  /// place could name any file that this user may read.
  void follow(const std::string& name) const {
    for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
      const std::string part = name.substr(0, end);
      if (part != "/") {
        H5L_info_t link;
        hdf5_ok(H5Lget_info(file.get(), part.c_str(), &link, H5P_DEFAULT), "finding " + of(part));
        if (link.type != H5L_TYPE_HARD) refuse(part, "it is a link and not an object of the file");
      }
      if (end == std::string::npos) return;
    }
  }

  struct Opened {
    Hdf5Handle dataset;
    Hdf5Handle type;
    Hdf5Handle space;
    std::vector<std::int64_t> shape;
    std::int64_t elements = 1;
    bool filtered = false;
  };

  Opened open(const std::string& name) const {
    follow(name);
    Opened opened;
    opened.dataset = {H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + of(name)};
    opened.type = {H5Dget_type(opened.dataset.get()), H5Tclose, "reading the type of " + of(name)};
    opened.space = {H5Dget_space(opened.dataset.get()), H5Sclose, "reading the shape of " + of(name)};
    opened.filtered = check_storage(name, opened);
    read_shape(name, opened);
    check_chunks(name, opened);
    return opened;
  }

  /// Whether bytes go through a filter.
  bool check_storage(const std::string& name, const Opened& opened) const {
    const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                                "reading the storage of " + of(name));
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
      refuse(name, "its rows lie in other files (a virtual dataset)");
    }
    const int external = H5Pget_external_count(properties.get());
    hdf5_ok(external, "counting the external files of " + of(name));
    if (external > 0) refuse(name, "its rows lie in other files (external storage)");
    const int count = H5Pget_nfilters(properties.get());
    hdf5_ok(count, "counting the filters of " + of(name));
    if (count > 0 && filters == Hdf5Filters::kNone) refuse(name, "it is compressed or filtered; store it plain");
    for (int i = 0; i < count; ++i) {
      const H5Z_filter_t filter = filter_at(properties, i);
      const bool is_built_in =
          filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
      if (!is_built_in) refuse(name, "it is compressed by a filter other than gzip");
    }
    return count > 0;
  }

  /// HDF5 takes memory for a whole chunk, however little of it is wanted.
  void check_chunks(const std::string& name, const Opened& opened) const {
    const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                                "reading the storage of " + of(name));
    if (opened.elements == 0 || H5Pget_layout(properties.get()) != H5D_CHUNKED) return;
    hsize_t sizes[kMostDimensions];
    const int dimensions = H5Pget_chunk(properties.get(), kMostDimensions, sizes);
    hdf5_ok(dimensions, "reading the chunks of " + of(name));
    if (dimensions > kMostDimensions) refuse(name, "it has too many dimensions");
    std::uint64_t rest = most_elements(H5Tget_size(opened.type.get()), opened.filtered);
    for (const hsize_t size : std::span(sizes, static_cast<std::size_t>(dimensions))) {
      if (size > rest) refuse(name, "its chunks are larger than the file");
      rest /= std::max<hsize_t>(1, size);
    }
  }

  /// Before a block behind filters is read.
  void check_block(const std::string& name, const Opened& opened, const std::vector<std::int64_t>& begin,
                   const std::vector<std::int64_t>& count) const {
    if (!opened.filtered) return;
    const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                                "reading the storage of " + of(name));
    const std::string wrong =
        wrong_chunk({opened.dataset.get(), properties.get(), H5Tget_size(opened.type.get()), begin, count, file_bytes});
    if (!wrong.empty()) refuse(name, wrong);
  }

  /// How many elements of so many bytes the file can hold.
  std::uint64_t most_elements(std::size_t element, bool filtered) const {
    const std::uint64_t ratio = filtered ? kMaxDeflateRatio : 1;
    return static_cast<std::uint64_t>(file_bytes) * ratio / std::max<std::size_t>(1, element);
  }

  void read_shape(const std::string& name, Opened& opened) const {
    const int dimensions = H5Sget_simple_extent_ndims(opened.space.get());
    hdf5_ok(dimensions, "counting the dimensions of " + of(name));
    if (dimensions > kMostDimensions) refuse(name, "it has too many dimensions");
    std::vector<hsize_t> sizes(static_cast<std::size_t>(dimensions));
    if (dimensions > 0) {
      hdf5_ok(H5Sget_simple_extent_dims(opened.space.get(), sizes.data(), nullptr), "reading the shape of " + of(name));
    }
    // No more than the file holds: the product cannot overflow, and memory is bounded by the file's size.
    // Example: in a file of 1 MiB fp32 datasets have at most 262144 elements; a shape [2^32, 2^32] is refused at its
    // first size, long before the product would overflow 64 bits.
    const std::uint64_t most = most_elements(H5Tget_size(opened.type.get()), opened.filtered);
    std::uint64_t elements = 1;
    for (const hsize_t size : sizes) {
      if (size != 0 && elements > most / size) refuse(name, "it claims more elements than the file has bytes");
      elements *= size;
      opened.shape.push_back(static_cast<std::int64_t>(size));
    }
    opened.elements = static_cast<std::int64_t>(elements);
    const std::uint64_t bytes = elements * H5Tget_size(opened.type.get());
    // Chunks that were never written take no storage, and HDF5 would make up their content from the fill value. Of
    // compressed ones the storage does not tell.
    if (!opened.filtered && H5Dget_storage_size(opened.dataset.get()) < bytes)
      refuse(name, "its rows are not all in the file");
  }

  at::ScalarType dtype_of(const std::string& name, const Opened& opened) const {
    const std::optional<at::ScalarType> dtype = scalar_type(opened.type);
    if (!dtype) refuse(name, "it does not hold fp64, fp32, bf16, fp16, int64, int32, uint8, int8 or bool");
    return *dtype;
  }
};

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path, Hdf5Filters filters) : state_(std::make_unique<State>()) {
  const Hdf5Lock lock;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) throw SnapshotError("Could not open '" + path.string() + "': " + error.message() + ".");
  state_->path = path;
  state_->filters = filters;
  state_->file_bytes = static_cast<std::int64_t>(bytes);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "making access properties");
  // Shared file systems often have no locks, and nobody writes to a finished snapshot.
  hdf5_ok(H5Pset_file_locking(access.get(), false, true), "switching off file locks");
  state_->file = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, "opening '" + path.string() + "'"};
}

Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;

Hdf5Reader::~Hdf5Reader() {
  if (!state_) return;
  const Hdf5Lock lock;
  state_.reset();
}

Hdf5Reader::Dataset Hdf5Reader::dataset(const std::string& path) const {
  const Hdf5Lock lock;
  const State::Opened opened = state_->open(path);
  return {state_->dtype_of(path, opened), opened.shape};
}

at::Tensor Hdf5Reader::read(const std::string& path) const {
  const Hdf5Lock lock;
  const State::Opened opened = state_->open(path);
  // The type in memory is that of the file, so HDF5 copies bytes and converts nothing.
  at::Tensor result = at::empty(opened.shape, state_->dtype_of(path, opened));
  if (result.numel() == 0) return result;
  state_->check_block(path, opened, std::vector<std::int64_t>(opened.shape.size(), 0), opened.shape);
  hdf5_ok(H5Dread(opened.dataset.get(), opened.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, result.mutable_data_ptr()),
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
  const State::Opened opened = state_->open(path);
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
  hdf5_ok(H5Dread(opened.dataset.get(), opened.type.get(), memory.get(), opened.space.get(), H5P_DEFAULT,
                  result.mutable_data_ptr()),
          "reading " + state_->of(path));
  return result;
}

std::string Hdf5Reader::read_text(const std::string& path) const {
  const Hdf5Lock lock;
  const State::Opened opened = state_->open(path);
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
  const htri_t found = H5Lexists(state_->file.get(), path.c_str(), H5P_DEFAULT);
  hdf5_ok(found, "looking for " + state_->of(path));
  return found > 0;
}

std::vector<std::string> Hdf5Reader::names(const std::string& group) const {
  const Hdf5Lock lock;
  state_->follow(group);
  const Hdf5Handle opened(H5Gopen2(state_->file.get(), group.c_str(), H5P_DEFAULT), H5Gclose,
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
  const Hdf5Handle opened(H5Aopen_by_name(state_->file.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
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
  Names names;
  hdf5_ok(H5Aiterate_by_name(state_->file.get(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep_attribute,
                             &names, H5P_DEFAULT),
          "listing the attributes of " + state_->of(object));
  return names.found;
}

}  // namespace negatron
