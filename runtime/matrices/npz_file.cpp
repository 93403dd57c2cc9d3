#include "runtime/matrices/npz_file.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/matrices/matrix_choice.h"
#include "runtime/matrices/npy_file.h"

namespace negatron {
namespace {

constexpr std::string_view kArrayEnding = ".npy";

/// As numpy.load names it: without the ending.
std::string array_name(const ZipMember& member) {
  return member.name.substr(0, member.name.size() - kArrayEnding.size());
}

/// Arrays of whole numbers are named too, so that messages show all there is; of others nothing but the name is known.
NamedShape shape_in(const ZipFile& archive, const ZipMember& member) {
  for (const NpyNumbers numbers : {NpyNumbers::kFloating, NpyNumbers::kInteger}) {
    try {
      const std::unique_ptr<InputFile> file = archive.open_beginning(member);
      const NpyHeader header = read_npy_header(*file, numbers, NpyVoid::kBfloat16);
      return {array_name(member), header.dtype, header.shape};
    } catch (const SnapshotError&) {
      // Of another type, or damaged, which is told where it is opened.
    }
  }
  return {array_name(member), at::kByte, {}};
}

std::unique_ptr<InputFile> opened_member(const ZipFile& archive, const ZipMember& member, const std::string& name) {
  try {
    return archive.open(member);
  } catch (const SnapshotError& error) {
    throw SnapshotError(name + " is refused: " + error.what() + ".");
  }
}

/// An array that had to be unpacked.
class UnpackedNpy : public NpyFile {
 public:
  UnpackedNpy(std::unique_ptr<InputFile> file, const std::string& name, NpyVoid npy_void)
      : NpyFile(std::move(file), name, npy_void) {}
  std::int64_t held_bytes() const override {
    return rows() * columns() * static_cast<std::int64_t>(c10::elementSize(dtype()));
  }
};

}  // namespace

bool holds_npy(const ZipFile& archive) {
  const std::vector<ZipMember>& all = archive.members();
  return std::any_of(all.begin(), all.end(), [](const auto& member) { return member.name.ends_with(kArrayEnding); });
}

std::unique_ptr<MatrixFile> open_npz(const ZipFile& archive, const std::filesystem::path& path,
                                     const MatrixRequest& request) {
  std::vector<NamedShape> held;
  for (const ZipMember& member : archive.members()) {
    if (member.name.ends_with(kArrayEnding)) held.push_back(shape_in(archive, member));
  }
  const std::string chosen = choose_matrix(path, held, request.name, "--key");
  const std::string name = "'" + chosen + "' of '" + path.string() + "'";
  for (const ZipMember& member : archive.members()) {
    if (!member.name.ends_with(kArrayEnding) || array_name(member) != chosen) continue;
    if (!member.packed) return std::make_unique<NpyFile>(opened_member(archive, member, name), name, request.npy_void);
    require_held(member.bytes, request, name);
    return std::make_unique<UnpackedNpy>(opened_member(archive, member, name), name, request.npy_void);
  }
  throw SnapshotError(name + " is not there.");
}

}  // namespace negatron
