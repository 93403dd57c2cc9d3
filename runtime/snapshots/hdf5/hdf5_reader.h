#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What may stand between the numbers of a dataset and their bytes in the file.
enum class Hdf5Filters {
  kNone,
  /// What other programs write: gzip, shuffling and checksums, which every HDF5 has, none that is loaded; and numbers
  /// with their high byte first.
  kBuiltIn
};

/// Reads an HDF5 file that somebody else may have made: only plain datasets in the file itself are read. Links to other
/// files, virtual or external storage, filters that are not allowed, unknown types and sizes that the file cannot hold
/// are refused before any memory is taken. Check the file's digest first where there is one. Any thread; takes the
/// Hdf5Lock. Every function throws SnapshotError that names the file.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::filesystem::path& path, Hdf5Filters filters = Hdf5Filters::kNone);
  ~Hdf5Reader();
  Hdf5Reader(Hdf5Reader&&) noexcept;

  struct Dataset {
    at::ScalarType dtype = at::kFloat;
    std::vector<std::int64_t> shape;
  };
  /// What a dataset is, once it was found fit to be read.
  Dataset dataset(const std::string& path) const;
  /// All of it, on the host.
  at::Tensor read(const std::string& path) const;
  /// Rows [begin, begin + count) of a dataset with at least one dimension.
  at::Tensor read_rows(const std::string& path, std::int64_t begin, std::int64_t count) const;
  /// Elements [begin, begin + count) of the second dimension of a dataset that has one, of all rows.
  at::Tensor read_columns(const std::string& path, std::int64_t begin, std::int64_t count) const;
  /// A dataset that is one text of fixed length.
  std::string read_text(const std::string& path) const;

  /// Whether there is something of that name, also where a group on the way to it is missing.
  bool has(const std::string& path) const;
  /// Whether it is a group; a link is none.
  bool is_group(const std::string& path) const;
  /// The names in a group, sorted.
  std::vector<std::string> names(const std::string& group) const;
  /// An attribute of an object ("/": the file).
  std::variant<std::int64_t, double, std::string> attribute(const std::string& object, const std::string& name) const;
  std::int64_t integer_attribute(const std::string& object, const std::string& name) const;
  std::vector<std::string> attribute_names(const std::string& object) const;

 private:
  /// Under the Hdf5Lock.
  bool is_group_object(const std::string& path) const;
  at::Tensor read_slab(const std::string& path, std::size_t dimension, std::int64_t begin, std::int64_t count) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace negatron
