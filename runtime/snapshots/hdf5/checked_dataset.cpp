#include "runtime/snapshots/hdf5/checked_dataset.h"

#include <algorithm>
#include <optional>
#include <span>

#include "runtime/snapshots/hdf5/hdf5_types.h"
#include "runtime/snapshots/hdf5/packed_chunks.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

constexpr int kMostDimensions = 8;
/// Deflate cannot make more out of one byte.
constexpr std::uint64_t kMaxDeflateRatio = 1032;

/// Whether bytes go through a filter.
bool check_storage(const CheckedFile& file, const std::string& name, const CheckedDataset& opened) {
  const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                              "reading the storage of " + file.of(name));
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
    file.refuse(name, "its rows lie in other files (a virtual dataset)");
  }
  const int external = H5Pget_external_count(properties.get());
  hdf5_ok(external, "counting the external files of " + file.of(name));
  if (external > 0) file.refuse(name, "its rows lie in other files (external storage)");
  const int count = H5Pget_nfilters(properties.get());
  hdf5_ok(count, "counting the filters of " + file.of(name));
  const bool refuses_all = file.filters == Hdf5Filters::kNone;
  if (count > 0 && refuses_all) file.refuse(name, "it is compressed or filtered; store it plain");
  for (int i = 0; i < count; ++i) {
    const H5Z_filter_t filter = filter_at(properties.get(), i);
    const bool is_built_in =
        filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
    if (!is_built_in) file.refuse(name, "it is compressed by a filter other than gzip");
  }
  return count > 0;
}

/// How many elements of its type the file can hold.
std::uint64_t most_elements(const CheckedFile& file, const CheckedDataset& opened) {
  const std::uint64_t ratio = opened.filtered ? kMaxDeflateRatio : 1;
  return static_cast<std::uint64_t>(file.bytes) * ratio / std::max<std::size_t>(1, H5Tget_size(opened.type.get()));
}

/// HDF5 takes memory for a whole chunk, however little of it is wanted.
void check_chunks(const CheckedFile& file, const std::string& name, const CheckedDataset& opened) {
  const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                              "reading the storage of " + file.of(name));
  if (opened.elements == 0 || H5Pget_layout(properties.get()) != H5D_CHUNKED) return;
  hsize_t sizes[kMostDimensions];
  const int dimensions = H5Pget_chunk(properties.get(), kMostDimensions, sizes);
  hdf5_ok(dimensions, "reading the chunks of " + file.of(name));
  if (dimensions > kMostDimensions) file.refuse(name, "it has too many dimensions");
  std::uint64_t rest = most_elements(file, opened);
  for (const hsize_t size : std::span(sizes, static_cast<std::size_t>(dimensions))) {
    if (size > rest) file.refuse(name, "its chunks are larger than the file");
    rest /= std::max<hsize_t>(1, size);
  }
}

void read_shape(const CheckedFile& file, const std::string& name, CheckedDataset& opened) {
  const int dimensions = H5Sget_simple_extent_ndims(opened.space.get());
  hdf5_ok(dimensions, "counting the dimensions of " + file.of(name));
  if (dimensions > kMostDimensions) file.refuse(name, "it has too many dimensions");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(dimensions));
  if (dimensions > 0) {
    hdf5_ok(H5Sget_simple_extent_dims(opened.space.get(), sizes.data(), nullptr),
            "reading the shape of " + file.of(name));
  }
  // No more than the file holds: the product cannot overflow, and memory is bounded by the file's size.
  // Example: in a file of 1 MiB fp32 datasets have at most 262144 elements; a shape [2^32, 2^32] is refused at its
  // first size, long before the product would overflow 64 bits.
  const std::uint64_t most = most_elements(file, opened);
  std::uint64_t elements = 1;
  for (const hsize_t size : sizes) {
    if (size != 0 && elements > most / size) file.refuse(name, "it claims more elements than the file has bytes");
    elements *= size;
    opened.shape.push_back(static_cast<std::int64_t>(size));
  }
  opened.elements = static_cast<std::int64_t>(elements);
  const std::uint64_t bytes = elements * H5Tget_size(opened.type.get());
  // Chunks that were never written take no storage, and HDF5 would make up their content from the fill value. Of
  // compressed ones the storage does not tell.
  const bool is_whole = opened.filtered || H5Dget_storage_size(opened.dataset.get()) >= bytes;
  if (!is_whole) file.refuse(name, "its rows are not all in the file");
}

}  // namespace

std::string CheckedFile::of(const std::string& name) const {
  return "'" + shown_text(name) + "' of '" + path.string() + "'";
}

void CheckedFile::refuse(const std::string& name, const std::string& why) const {
  throw SnapshotError(of(name) + " is refused: " + why + ".");
}

// Every link on the way must be a hard one: others lead out of the file.
// Example: "tensors/conv1.weight" looks at "tensors" first and then at the whole. A soft or external link at either
// place could name any file that this user may read.
void CheckedFile::follow(const std::string& name) const {
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    if (part != "/") {
      H5L_info_t link;
      hdf5_ok(H5Lget_info(handle.get(), part.c_str(), &link, H5P_DEFAULT), "finding " + of(part));
      if (link.type != H5L_TYPE_HARD) refuse(part, "it is a link and not an object of the file");
    }
    if (end == std::string::npos) return;
  }
}

// H5Aiterate makes a table of all attributes first. When one of them cannot be decoded it gives up and frees the table,
// also the entries that it has not filled yet, which ends the process (HDF5 1.10.8, H5A__compact_build_table). A search
// for a name that no attribute can have decodes them all as well, one after the other and without a table: it fails in
// order, and once it has not, the listing does not either. Only attributes in the object's header are searched so;
// those of newer formats in a heap of their own, which this program does not write, are refused.
void CheckedFile::check_attributes(const std::string& object) const {
  constexpr unsigned kAttributesElsewhere = 0x15;
  // An attribute and its name fit into 64 KiB of the header.
  const std::string no_name(std::size_t{1} << 16U, '?');
  H5O_info_t info;
  hdf5_ok(H5Oget_info_by_name2(handle.get(), object.c_str(), &info, H5O_INFO_HDR, H5P_DEFAULT),
          "looking at the header of " + of(object));
  if ((info.hdr.mesg.present >> kAttributesElsewhere & 1U) != 0) refuse(object, "its attributes are not in its header");
  hdf5_ok(H5Aexists_by_name(handle.get(), object.c_str(), no_name.c_str(), H5P_DEFAULT),
          "looking through the attributes of " + of(object));
}

CheckedDataset CheckedFile::open(const std::string& name) const {
  follow(name);
  CheckedDataset opened;
  opened.dataset = {H5Dopen2(handle.get(), name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + of(name)};
  opened.type = {H5Dget_type(opened.dataset.get()), H5Tclose, "reading the type of " + of(name)};
  opened.space = {H5Dget_space(opened.dataset.get()), H5Sclose, "reading the shape of " + of(name)};
  opened.filtered = check_storage(*this, name, opened);
  read_shape(*this, name, opened);
  check_chunks(*this, name, opened);
  return opened;
}

void CheckedFile::check_block(const std::string& name, const CheckedDataset& opened,
                              const std::vector<std::int64_t>& begin, const std::vector<std::int64_t>& count) const {
  if (!opened.filtered) return;
  const Hdf5Handle properties(H5Dget_create_plist(opened.dataset.get()), H5Pclose,
                              "reading the storage of " + of(name));
  const std::string wrong =
      wrong_chunk({opened.dataset.get(), properties.get(), H5Tget_size(opened.type.get()), begin, count, bytes});
  if (!wrong.empty()) refuse(name, wrong);
}

at::ScalarType CheckedFile::dtype_of(const std::string& name, const CheckedDataset& opened) const {
  std::optional<at::ScalarType> dtype = scalar_type(opened.type);
  if (!dtype && filters == Hdf5Filters::kBuiltIn) dtype = swapped_scalar_type(opened.type);
  if (!dtype) refuse(name, "it does not hold fp64, fp32, bf16, fp16, int64, int32, uint8, int8 or bool");
  return *dtype;
}

}  // namespace negatron
