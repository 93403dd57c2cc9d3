#include "runtime/snapshots/manifest.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/snapshots/manifest_banks.h"
#include "runtime/snapshots/plain_json.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

using Json = nlohmann::json;

// The first line, which no version changes (here with a digest cut short):
//   {"format": "negatron snapshot", "version": 1, "digest": "5f0c...",
// The digest is that of the whole text without its own 32 digits, so it covers the version: a flipped bit there is
// damage, and never looks like a snapshot of a newer program. The line is the beginning of a JSON object, and the file
// as a whole is JSON that other programs can read.
constexpr std::string_view kBeforeVersion = R"({"format": "negatron snapshot", "version": )";
constexpr std::string_view kBeforeDigest = R"(, "digest": ")";
constexpr std::string_view kAfterDigest = "\",\n";
constexpr std::size_t kDigestDigits = 32;
/// The table of batches is all that grows: a line of it takes some twenty bytes, so this is room for a million batches,
/// of 256 keys those of 2^28 rows.
constexpr std::int64_t kMostManifestBytes = std::int64_t{1} << 26;
/// Of a batch three numbers and the list of them; of a rank's files some ten values.
constexpr JsonLimits kManifestLimits{6, std::int64_t{5} << 20, std::int64_t{5} << 18, 64};
/// Of the parser, which may quote the file.
constexpr std::size_t kMostReasonBytes = 200;
/// What HDF5 writes around the datasets of a shard takes a few thousand bytes.
constexpr std::int64_t kMostShardMetadata = 1 << 16;
/// Four whole numbers.
constexpr std::int64_t kNumberBytesOfRow = 4 * 8;

Json files_json(const std::vector<ManifestFile>& files) {
  Json list = Json::array();
  for (const ManifestFile& file : files) {
    list.push_back({{"name", file.name}, {"bytes", file.digest.bytes}, {"xxh3_128", file.digest.xxh3_128}});
  }
  return list;
}

std::vector<ManifestFile> files_of(const Json& list) {
  std::vector<ManifestFile> files;
  for (const Json& file : list) {
    files.push_back({file.at("name"), {file.at("bytes"), file.at("xxh3_128")}});
  }
  return files;
}

/// The size of a shard's file is that of its rows, whatever its digest is.
void check_shard_sizes(const Manifest& manifest, const SavedBank& bank) {
  const BankLayout layout(bank.layout, bank.shards);
  const std::int64_t bytes_of_row = row_bytes(bank) + kNumberBytesOfRow;
  for (int shard = 0; shard < bank.shards; ++shard) {
    const ManifestFile& file = manifest.file(bank_file_name(shard, bank.shards, bank.name));
    const std::int64_t rows = RingOrder(layout, shard).size();
    // Division, because the product of hostile sizes overflows.
    if (rows <= file.digest.bytes / bytes_of_row && file.digest.bytes - rows * bytes_of_row <= kMostShardMetadata)
      continue;
    throw SnapshotError("it says that '" + file.name + "' has " + std::to_string(file.digest.bytes) + " bytes for " +
                        std::to_string(rows) + " rows of " + std::to_string(bytes_of_row));
  }
}

/// Names are never paths: each must be one that a snapshot has.
void check_names(const Manifest& manifest) {
  std::set<std::string> wanted;
  // Without a bank trainer.h5 is all there is and must be there; beside a bank it may be missing.
  if (manifest.banks.empty() || manifest.has(kTrainerName)) wanted.insert(std::string(kTrainerName));
  for (const SavedBank& bank : manifest.banks) {
    wanted.insert(virtual_bank_name(bank.name));
    for (int shard = 0; shard < bank.shards; ++shard) wanted.insert(bank_file_name(shard, bank.shards, bank.name));
  }
  std::set<std::string> found;
  for (const ManifestFile& file : manifest.files) found.insert(file.name);
  // The sizes differ when a name is listed twice, which a set does not show.
  if (found != wanted || found.size() != manifest.files.size()) {
    throw SnapshotError("it does not list the files of a snapshot");
  }
}

std::string_view take(std::string_view& text, std::size_t count) {
  const std::string_view head = text.substr(0, count);
  text.remove_prefix(head.size());
  return head;
}

/// The version, once the digest has been found right.
std::int64_t check_first_line(std::string_view text) {
  std::string_view rest = text;
  const SnapshotError damaged("it is damaged: its first line is not that of a manifest");
  if (take(rest, kBeforeVersion.size()) != kBeforeVersion) throw damaged;
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), version);
  if (error != std::errc()) throw damaged;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (take(rest, kBeforeDigest.size()) != kBeforeDigest) throw damaged;
  const std::string before(text.substr(0, text.size() - rest.size()));
  const std::string_view digest = take(rest, kDigestDigits);
  const std::string found = digest_of(before + std::string(rest));
  if (digest != found || !rest.starts_with(kAfterDigest)) {
    throw SnapshotError("it is damaged: its XXH3-128 is " + found + ", its first line says " + shown_text(digest));
  }
  return version;
}

}  // namespace

bool Manifest::has(std::string_view name) const {
  return std::any_of(files.begin(), files.end(), [&](const ManifestFile& one) { return one.name == name; });
}

const ManifestFile& Manifest::file(std::string_view name) const {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const ManifestFile& one) { return one.name == name; });
  if (found == files.end()) throw SnapshotError("The snapshot has no file '" + std::string(name) + "'.");
  return *found;
}

const SavedBank& Manifest::bank() const {
  if (banks.size() == 1) return banks.front();
  if (banks.empty()) throw SnapshotError("The snapshot holds no bank.");
  throw SnapshotError("The snapshot holds several banks, " + bank_names_text(banks) + ".");
}

const SavedBank* Manifest::bank_named(std::string_view name) const {
  const auto found = std::find_if(banks.begin(), banks.end(), [&](const SavedBank& one) { return one.name == name; });
  return found == banks.end() ? nullptr : &*found;
}

std::string bank_names_text(const std::vector<SavedBank>& banks) {
  std::string text;
  for (std::size_t i = 0; i < banks.size(); ++i) {
    if (i > 0) text += i + 1 == banks.size() ? " and " : ", ";
    text += "'" + banks[i].name + "'";
  }
  return text;
}

std::string manifest_text(const Manifest& manifest) {
  Json body{{"step", manifest.step}, {"world_size", manifest.world_size}, {"files", files_json(manifest.files)}};
  add_banks(body, manifest.banks);
  std::int64_t version = format_for(SavedBank{});
  for (const SavedBank& bank : manifest.banks) version = std::max(version, format_for(bank));
  const std::string before = std::string(kBeforeVersion) + std::to_string(version) + std::string(kBeforeDigest);
  // Without its opening brace, which the first line has.
  const std::string after = std::string(kAfterDigest) + body.dump().substr(1) + "\n";
  return before + digest_of(before + after) + after;
}

Manifest parse_manifest(std::string_view text) {
  const std::int64_t version = check_first_line(text);
  if (version < 1) throw SnapshotError("it says version " + std::to_string(version) + ", and the first was 1");
  if (version > kSnapshotFormat) {
    throw NewerFormatError("it needs a negatron that knows snapshot version >= " + std::to_string(version) +
                           "; this one knows " + std::to_string(kSnapshotFormat));
  }
  // Every rank parses it, and its digest tells nothing of who made it.
  check_plain_json(text, kManifestLimits);
  try {
    // Members that this version does not know are passed over: a later one may say more where it takes nothing back.
    const Json json = Json::parse(text);
    Manifest manifest;
    manifest.step = json.at("step");
    const std::int64_t ranks = json.at("world_size");
    if (manifest.step < 0 || ranks < 1 || ranks > kMostSavedRanks) {
      throw SnapshotError("its step or its world size is not possible");
    }
    manifest.world_size = static_cast<int>(ranks);
    manifest.files = files_of(json.at("files"));
    manifest.banks = banks_of(json);
    check_names(manifest);
    for (const SavedBank& bank : manifest.banks) check_shard_sizes(manifest, bank);
    return manifest;
  } catch (const Json::exception& error) {
    throw SnapshotError("it is not as a manifest should be (" + shown_text(error.what(), kMostReasonBytes) + ")");
  } catch (const std::invalid_argument& error) {
    throw SnapshotError(error.what());
  }
}

Manifest read_manifest(const FileLayer& files, const std::filesystem::path& snapshot) {
  const std::filesystem::path path = snapshot / kManifestName;
  // A FileError passes as it is: to find_snapshot it may mean something else than damage.
  const std::string text = read_text(files, path, kMostManifestBytes);
  const std::string refused = "'" + path.string() + "' is refused: ";
  try {
    return parse_manifest(text);
  } catch (const NewerFormatError& error) {
    throw NewerFormatError(refused + error.what() + ".");
  } catch (const SnapshotError& error) {
    throw SnapshotError(refused + error.what() + ".");
  }
}

std::string files_text(const std::vector<ManifestFile>& files) {
  return files_json(files).dump();
}

std::vector<ManifestFile> parse_files(std::string_view text) {
  try {
    return files_of(Json::parse(text));
  } catch (const Json::exception& error) {
    throw SnapshotError(std::string("A rank described its files in a way that cannot be read: ") + error.what() + ".");
  }
}

}  // namespace negatron
