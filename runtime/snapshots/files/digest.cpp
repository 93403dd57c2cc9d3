#include "runtime/snapshots/files/digest.h"

#include <xxhash.h>
// xxHash's own choice of vector code for the machine it runs on; without it, that of the oldest machine.
#ifdef NEGATRON_XXHASH_CHOOSES
#include <xxh_x86dispatch.h>
#endif

#include <algorithm>
#include <new>
#include <vector>

namespace negatron {

struct DigestStream::State {
  XXH3_state_t* xxh = nullptr;
};

void DigestStream::Free::operator()(State* state) const noexcept {
  XXH3_freeState(state->xxh);
  delete state;
}

DigestStream::DigestStream() : state_(new State) {
  state_->xxh = XXH3_createState();
  if (state_->xxh == nullptr || XXH3_128bits_reset(state_->xxh) != XXH_OK) throw std::bad_alloc();
}

void DigestStream::update(std::span<const std::byte> bytes) {
  if (XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size()) != XXH_OK) {
    throw SnapshotError("xxHash refused some bytes.");
  }
}

std::string DigestStream::hex() const {
  XXH128_canonical_t canonical;
  // The canonical form has its highest byte first on every machine, so digests are the same text everywhere.
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh));
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

std::string digest_of(std::string_view bytes) {
  DigestStream digest;
  digest.update(std::as_bytes(std::span(bytes)));
  return digest.hex();
}

FileDigest digest_of_file(const FileLayer& files, const std::filesystem::path& path, std::int64_t block_bytes,
                          const std::function<void()>& between_blocks) {
  const std::unique_ptr<InputFile> file = files.open(path);
  DigestStream digest;
  std::vector<std::byte> block(
      static_cast<std::size_t>(std::min(block_bytes, std::max<std::int64_t>(1, file->size()))));
  // size() is that of when the file was opened. One that grows meanwhile is digested up to there, one that shrinks
  // throws; and the count of bytes is compared beside the digest.
  for (std::int64_t offset = 0; offset < file->size();) {
    if (between_blocks) between_blocks();
    const std::span<std::byte> part =
        std::span(block).first(std::min(block.size(), static_cast<std::size_t>(file->size() - offset)));
    file->read(offset, part);
    digest.update(part);
    offset += static_cast<std::int64_t>(part.size());
  }
  return {file->size(), digest.hex()};
}

void check_file(const FileLayer& files, const std::filesystem::path& path, const FileDigest& expected,
                std::int64_t block_bytes) {
  const std::int64_t bytes = files.open(path)->size();
  check_digest(path, {bytes, expected.xxh3_128}, expected);
  check_digest(path, digest_of_file(files, path, block_bytes), expected);
}

void check_digest(const std::filesystem::path& path, const FileDigest& found, const FileDigest& expected) {
  // The size first: to the reader of the message a file that was cut off says more than two digests that differ.
  if (found.bytes != expected.bytes) {
    throw SnapshotError("'" + path.string() + "' has " + std::to_string(found.bytes) + " bytes and not the " +
                        std::to_string(expected.bytes) + " of its manifest.");
  }
  if (found.xxh3_128 != expected.xxh3_128) {
    throw SnapshotError("'" + path.string() + "' is damaged: its XXH3-128 is " + found.xxh3_128 +
                        ", its manifest says " + expected.xxh3_128 + ".");
  }
}

}  // namespace negatron
