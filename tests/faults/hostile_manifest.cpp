#include "tests/faults/hostile_manifest.h"

#include <cctype>
#include <fstream>
#include <vector>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/manifest.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestDigits = 32;
constexpr int kDeepLists = 1 << 20;
constexpr int kManyValues = 3 << 20;

std::size_t pick(std::mt19937& random, std::size_t count) {
  return static_cast<std::size_t>(random()) % count;
}

std::string text_at(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// Where whole numbers begin and how long they are.
std::vector<std::pair<std::size_t, std::size_t>> numbers_in(const std::string& text) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted || std::isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
    std::size_t end = i;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    found.emplace_back(i, end - i);
    i = end;
  }
  return found;
}

std::string with_odd_number(std::string text, std::mt19937& random) {
  const std::vector<std::string> odd = {"0",
                                        "-1",
                                        "1",
                                        "2",
                                        "4294967296",
                                        "2147483664",
                                        "40000000",
                                        "9223372036854775807",
                                        "1e300",
                                        "true",
                                        "null",
                                        "\"\\u001b[2J\"",
                                        "[]",
                                        "{}",
                                        "1099511627776",
                                        "18446744073709551615"};
  for (std::size_t edits = 1 + pick(random, 2); edits > 0; --edits) {
    const auto numbers = numbers_in(text);
    const auto [at, length] = numbers[pick(random, numbers.size())];
    text.replace(at, length, odd[pick(random, odd.size())]);
  }
  return text;
}

std::string with_cut_part(std::string text, std::mt19937& random) {
  const std::size_t head = text.find('\n') + 1;
  const std::size_t at = head + pick(random, text.size() - head);
  if (pick(random, 2) == 0) return text.erase(at, 1 + pick(random, 20));
  return text.insert(at, text.substr(head, pick(random, text.size() - head)));
}

std::string with_member(std::string text, const std::string& value) {
  return text.insert(text.find('\n') + 1, "\"more\": " + value + ", ");
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

}  // namespace

std::string with_right_digest(std::string text) {
  const std::string mark = "\"digest\": \"";
  const std::size_t digest = text.find(mark);
  if (digest == std::string::npos || digest + mark.size() + kDigestDigits > text.size()) return text;
  const std::size_t at = digest + mark.size();
  return text.replace(at, kDigestDigits, digest_of(text.substr(0, at) + text.substr(at + kDigestDigits)));
}

void renew_digests(const fs::path& snapshot) {
  constexpr std::int64_t kBlock = 1 << 20;
  PosixFileLayer files;
  Manifest manifest = read_manifest(files, snapshot);
  for (ManifestFile& file : manifest.files) file.digest = digest_of_file(files, snapshot / file.name, kBlock);
  put(snapshot / kManifestName, manifest_text(manifest));
}

void make_hostile_manifest(const fs::path& snapshot, std::mt19937& random) {
  const fs::path path = snapshot / kManifestName;
  std::string text = text_at(path);
  switch (pick(random, 16)) {
    case 0:
      text = with_member(text, repeated("[", kDeepLists) + repeated("]", kDeepLists));
      break;
    case 1:
      text = with_member(text, "[" + repeated("{},", kManyValues) + "{}]");
      break;
    case 2:
      text = with_member(text, "\"" + std::string(kManyValues, 'x') + "\"");
      break;
    case 3:
    case 4:
    case 5:
      text = with_cut_part(text, random);
      break;
    default:
      text = with_odd_number(text, random);
  }
  put(path, with_right_digest(text));
}

}  // namespace negatron::testing
