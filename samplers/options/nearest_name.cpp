#include "samplers/options/nearest_name.h"

#include <algorithm>
#include <numeric>

namespace negatron {
namespace {

/// Letters to put in, leave out, change or swap with their neighbour, each counted once (optimal string alignment), row
/// by row of the table of all beginnings.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1)});
      const bool swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
      if (swapped) row[j + 1] = std::min(row[j + 1], before_last[j - 1] + 1);
    }
  }
  return row.back();
}

}  // namespace

// Example: "bank-row" has 8 letters, of which 2 may change, and "bank-rows" is 1 away. "quiet" has 5, of which 1 may,
// and "seed" is 4 away: to suggest it would only mislead.
std::optional<std::string> nearest_name(const std::string& typed, const std::vector<std::string>& names) {
  constexpr std::size_t kLettersForOneChange = 3;
  const std::size_t near = std::max<std::size_t>(1, typed.size() / kLettersForOneChange);
  std::optional<std::string> nearest;
  std::size_t smallest = std::min(near + 1, typed.size());
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(typed, name);
    if (distance >= smallest) continue;
    smallest = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace negatron
