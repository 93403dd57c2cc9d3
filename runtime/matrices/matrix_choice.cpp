#include "runtime/matrices/matrix_choice.h"

#include <algorithm>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

constexpr std::size_t kMostListed = 12;

std::string shown(const NamedShape& one) {
  std::string text;
  for (const std::int64_t size : one.shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return one.name + " [" + text + "]";
}

/// "queue [128, 65536], fc.weight [1000, 2048] and 52 more"
std::string listed(const std::vector<NamedShape>& held) {
  std::string text;
  for (std::size_t i = 0; i < std::min(held.size(), kMostListed); ++i) text += (i == 0 ? "" : ", ") + shown(held[i]);
  if (held.size() > kMostListed) text += " and " + std::to_string(held.size() - kMostListed) + " more";
  return text;
}

/// A checkpoint has many weights; what is called a queue or a bank is shown before them.
bool is_likelier(const NamedShape& a, const NamedShape& b) {
  const auto rank = [](const NamedShape& one) {
    const bool is_named = one.name.find("queue") != std::string::npos || one.name.find("bank") != std::string::npos;
    return is_named ? 0 : 1;
  };
  return rank(a) < rank(b);
}

}  // namespace

std::string choose_matrix(const std::filesystem::path& path, const std::vector<NamedShape>& held,
                          const std::string& wanted, const std::string& flag) {
  const std::string file = "'" + path.string() + "'";
  if (held.empty()) throw SnapshotError(file + " holds nothing that could be a bank.");
  if (held.size() == 1 && wanted.empty()) return held.front().name;
  std::vector<NamedShape> matrices;
  std::copy_if(held.begin(), held.end(), std::back_inserter(matrices),
               [](const NamedShape& one) { return one.is_matrix(); });
  std::stable_sort(matrices.begin(), matrices.end(), is_likelier);
  const std::vector<NamedShape>& told = matrices.empty() ? held : matrices;
  if (!wanted.empty()) {
    const bool is_there = std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.name == wanted; });
    if (is_there) return wanted;
    throw SnapshotError(file + " has no '" + wanted + "' (" + flag + "); it holds " + listed(told) + ".");
  }
  if (matrices.size() == 1) return matrices.front().name;
  throw SnapshotError(file + " holds " + listed(told) + "; " + flag + " says which one is the bank.");
}

}  // namespace negatron
