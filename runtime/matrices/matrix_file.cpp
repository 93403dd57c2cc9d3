#include "runtime/matrices/matrix_file.h"

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/matrices/hdf5_matrix.h"
#include "runtime/matrices/npy_file.h"
#include "runtime/matrices/npz_file.h"
#include "runtime/matrices/weights_matrix.h"

namespace negatron {
namespace {

constexpr std::string_view kZipMark = "PK\x03\x04";
constexpr std::string_view kHdf5Mark = "\x89HDF\r\n\x1a\n";
/// HDF5 may stand behind what another program put before it, at these places and twice as far.
constexpr std::int64_t kFirstLaterHdf5 = 512;
constexpr std::int64_t kLastLaterHdf5 = std::int64_t{1} << 20;
/// Eight bytes of a length and the brace of a header.
constexpr std::size_t kSafetensorsBrace = 8;
constexpr std::size_t kHeadBytes = 16;

/// As many of the bytes at `offset` as there are.
std::string bytes_at(const InputFile& file, std::int64_t offset, std::size_t most) {
  const std::int64_t there = std::max<std::int64_t>(0, file.size() - offset);
  std::string bytes(std::min(most, static_cast<std::size_t>(there)), '\0');
  if (!bytes.empty()) file.read(offset, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

bool is_hdf5(const InputFile& file) {
  if (bytes_at(file, 0, kHdf5Mark.size()) == kHdf5Mark) return true;
  for (std::int64_t offset = kFirstLaterHdf5; offset <= kLastLaterHdf5; offset *= 2) {
    if (bytes_at(file, offset, kHdf5Mark.size()) == kHdf5Mark) return true;
  }
  return false;
}

/// What a file is that none of the readers takes, by its first bytes.
std::string unreadable_kind(const std::string& head) {
  if (head.empty()) return "is empty";
  if (head.starts_with("\x1f\x8b")) return "is packed by gzip, and is read once it is unpacked";
  if (head.starts_with("\x80")) return "is a pickle of Python, which could run anything and is never read";
  return "is of a kind that is not read";
}

std::unique_ptr<MatrixFile> open_zip(std::shared_ptr<const InputFile> file, const std::filesystem::path& path,
                                     const MatrixRequest& request) {
  std::optional<ZipFile> archive;
  try {
    archive.emplace(std::move(file));
  } catch (const SnapshotError& error) {
    throw SnapshotError("'" + path.string() + "' is refused: " + error.what() + ".");
  }
  return holds_npy(*archive) ? open_npz(*archive, path, request) : open_weights_matrix(path, request);
}

}  // namespace

void require_held(std::int64_t bytes, const MatrixRequest& request, const std::string& name) {
  constexpr int kMib = 20;
  if (bytes <= request.most_held_bytes) return;
  throw SnapshotError(name + " must be read into memory and takes " + std::to_string((bytes >> kMib) + 1) +
                      " MiB there, more than --memory leaves; --memory " + std::to_string(2 * ((bytes >> kMib) + 1)) +
                      " would do.");
}

std::unique_ptr<MatrixFile> open_matrix(const FileLayer& files, const std::filesystem::path& path,
                                        const MatrixRequest& request) {
  // By content and not by name.
  std::unique_ptr<InputFile> file = files.open(path);
  const std::string head = bytes_at(*file, 0, kHeadBytes);
  const std::string name = "'" + path.string() + "'";
  if (head.starts_with(kNpyMagic)) {
    if (!request.name.empty()) {
      throw SnapshotError(name + " is a .npy file, which holds one matrix without a name, and no '" + request.name +
                          "'.");
    }
    return std::make_unique<NpyFile>(std::move(file), name, request.npy_void);
  }
  if (head.starts_with(kZipMark)) return open_zip(std::move(file), path, request);
  if (is_hdf5(*file)) return std::make_unique<Hdf5Matrix>(path, request.name, request.filters);
  const bool is_safetensors = head.size() > kSafetensorsBrace && head[kSafetensorsBrace] == '{';
  if (is_safetensors || head.starts_with("\x80\x02\x8a\x0a")) return open_weights_matrix(path, request);
  throw SnapshotError(name + " " + unreadable_kind(head) +
                      "; .npy, .npz, HDF5, safetensors, and what torch.save wrote, are.");
}

}  // namespace negatron
