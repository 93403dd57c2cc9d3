#include "launch/bank/bank_arguments.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <ostream>
#include <sstream>

#include "launch/flags/number_fields.h"
#include "runtime/text/byte_order_mark.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

constexpr int kMibShift = 20;
/// The largest number of MiB whose bytes still fit into an int64; a shift beyond it would wrap to a small budget.
constexpr std::int64_t kMostMib = std::numeric_limits<std::int64_t>::max() >> kMibShift;
/// Of a word that is no number, as much as a message shows.
constexpr std::size_t kMostShown = 40;

template <typename Number>
bool read_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Numbers between commas or spaces; nothing when something else is among them, which `other` tells.
std::optional<std::vector<std::int64_t>> read_list(std::string text, std::string& other) {
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream words(text);
  std::vector<std::int64_t> list;
  for (std::string word; words >> word;) {
    std::int64_t value = 0;
    if (!read_number(word, value)) {
      other = word;
      return std::nullopt;
    }
    list.push_back(value);
  }
  return list;
}

}  // namespace

BankArguments::BankArguments(std::string usage, std::ostream& out, std::ostream& remarks)
    : out_(out), remarks_(remarks), usage_(std::move(usage)) {
  // Flags that every command has come first, in --help as well.
  flags_.add("json", &json_, "one JSON object instead of text");
  flags_.add("memory", within(&memory_mib_, 1, kMostMib), "MiB that rows may take, beside the program itself");
  flags_.words(&paths_);
}

bool BankArguments::parse(const std::vector<std::string>& arguments, std::size_t fewest_paths, std::size_t most_paths) {
  if (arguments.size() == 1 && arguments.front() == kCompletions) {
    flags_.print_completions(out_);
    return false;
  }
  if (!flags_.parse(arguments)) {
    flags_.print_help(out_, usage_);
    return false;
  }
  if (paths_.size() < fewest_paths || paths_.size() > most_paths) {
    throw UsageError(std::to_string(paths_.size()) + (paths_.size() == 1 ? " path was" : " paths were") + " given; " +
                     usage_.substr(0, usage_.find('\n')));
  }
  return true;
}

BankMemory BankArguments::memory() const {
  return BankMemory(memory_mib_ << kMibShift);
}

std::string BankArguments::seekable(const std::string& path) {
  if (!is_sequential(path)) return path;
  spooled_.push_back(std::make_unique<SpooledFile>(path, memory().left()));
  remarks_ << "negatron: note: '" << terminal_text(path) << "' can be read once only and is held in memory, as "
           << spooled_.back()->path().string() << "\n";
  return spooled_.back()->path().string();
}

void BankArguments::take_name() {
  takes_name_ = true;
  flags_.add("name", &name_, "which bank of a snapshot that has several (view-a, view-b)");
}

OpenBank BankArguments::open(const std::string& path) {
  OpenBank bank = open_bank(files_, path, memory(), {name_, takes_name_ ? "--name" : nullptr});
  tell_notes(bank);
  return bank;
}

std::vector<OpenBank> BankArguments::open_all(const std::string& path) {
  std::vector<OpenBank> banks = open_banks(files_, path, memory());
  tell_notes(banks.front());
  if (banks.size() == 1 || name_.empty()) return banks;
  OpenBank& one = banks.front();
  one.which = index_of_bank(one.path, one.manifest, {name_});
  return {one};
}

void BankArguments::tell_notes(const OpenBank& bank) {
  for (const std::string& note : bank.notes) remarks_ << "negatron: note: " << terminal_text(note) << "\n";
}

std::vector<std::int64_t> read_numbers(const std::string& flag, const std::string& text) {
  // A list of numbers is never taken for the name of a file: a file that is called "12" can be given as "./12". So what
  // somebody types does not change its meaning with what lies in the folder.
  std::string other;
  if (const auto list = read_list(text, other)) return *list;
  std::ifstream file(text);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(text, ignored)) {
    throw UsageError(flag + " takes numbers (1,2,3) or a file of them, and '" + text + "' is neither.");
  }
  const std::string held{std::istreambuf_iterator<char>(file), {}};
  const auto list = read_list(std::string(without_byte_order_mark(held)), other);
  if (list && list->empty()) throw UsageError(flag + ": '" + text + "' holds no numbers.");
  if (list) return *list;
  throw UsageError(flag + ": '" + text + "' holds '" + other.substr(0, kMostShown) + "', which is no number.");
}

Range read_range(const std::string& text) {
  const std::size_t colon = text.find(':');
  Range range;
  const std::string_view view = text;
  if (colon == std::string::npos || !read_number(view.substr(0, colon), range.begin) ||
      !read_number(view.substr(colon + 1), range.end)) {
    throw UsageError("--range takes two sequence numbers, FIRST:END, not '" + text + "'.");
  }
  return range;
}

}  // namespace negatron
