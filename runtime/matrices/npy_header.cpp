#include "runtime/matrices/npy_header.h"

#include <charconv>
#include <set>
#include <span>
#include <string>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

/// Reads the header from its first to its last character.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) throw SnapshotError(std::string("its header has no '") + wanted + "' where one belongs");
  }
  std::string quoted() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') expect(quote);
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) throw SnapshotError("a text in its header has no end");
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool truth() {
    if (take_word("True")) return true;
    if (take_word("False")) return false;
    throw SnapshotError("its fortran_order is neither True nor False");
  }
  std::int64_t count() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) throw SnapshotError("its shape holds something that is no possible size");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    // numpy of Python 2 wrote 3L.
    if (!rest_.empty() && rest_.front() == 'L') rest_.remove_prefix(1);
    return value;
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  char peek() {
    skip_space();
    return rest_.empty() ? '\0' : rest_.front();
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool take_word(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view rest_;
};

struct NpyType {
  const char* descr;
  at::ScalarType dtype;
};

constexpr NpyType kFloatingTypes[] = {{"<f2", at::kHalf}, {"<f4", at::kFloat}, {"<f8", at::kDouble}};
constexpr NpyType kIntegerTypes[] = {
    {"|i1", at::kChar}, {"|u1", at::kByte}, {"<i2", at::kShort}, {"<i4", at::kInt}, {"<i8", at::kLong}};

/// '<f4' and '>f4' differ in their first letter only, which is '|' where there is but one byte.
constexpr char kBigEndian = '>';
/// Two bytes that numpy knows nothing of.
constexpr std::string_view kTwoRawBytes = "V2";

void read_type(const std::string& descr, std::span<const NpyType> known, NpyVoid npy_void, NpyHeader& header) {
  header.big_endian = descr.starts_with(kBigEndian);
  const std::string little = header.big_endian ? "<" + descr.substr(1) : descr;
  std::string expected;
  for (const NpyType& type : known) {
    if (little == type.descr) {
      header.dtype = type.dtype;
      return;
    }
    if (!expected.empty()) expected += &type == &known.back() ? " or " : ", ";
    expected += std::string("'") + type.descr + "'";
  }
  if (descr.find('O') != std::string::npos) throw SnapshotError("it holds pickled objects, which are never read");
  const bool is_void = !descr.empty() && descr.substr(1) == kTwoRawBytes && known.front().dtype == at::kHalf;
  if (is_void && npy_void == NpyVoid::kBfloat16) {
    header.dtype = at::kBFloat16;
    return;
  }
  throw SnapshotError("it holds numbers of type '" + descr + "'" +
                      (is_void ? ", as numpy writes bfloat16; --read-as bf16 says that they are"
                               : "; " + expected + " is expected (numpy's astype)"));
}

/// "(3, 4)", "(3, )" and "()" are shapes, as in Python. How many sizes there must be is said later, with what was
/// found.
std::vector<std::int64_t> shape_of(Scanner& scanner) {
  std::vector<std::int64_t> shape;
  scanner.expect('(');
  while (!scanner.take(')')) {
    shape.push_back(scanner.count());
    if (!scanner.take(',')) {
      scanner.expect(')');
      break;
    }
  }
  return shape;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view text, NpyNumbers numbers, NpyVoid npy_void) {
  const std::span<const NpyType> known =
      numbers == NpyNumbers::kFloating ? std::span<const NpyType>(kFloatingTypes) : kIntegerTypes;
  Scanner scanner(text);
  NpyHeader header;
  std::set<std::string> seen;
  scanner.expect('{');
  // Python would evaluate this text; here each key has its own grammar, so nothing in a file can be run. Keys come in
  // any order, and a comma before the brace is as good as none.
  while (!scanner.take('}')) {
    const std::string key = scanner.quoted();
    if (!seen.insert(key).second) throw SnapshotError("its header says '" + key + "' twice");
    scanner.expect(':');
    if (key == "descr") {
      if (scanner.peek() == '[') throw SnapshotError("it holds records with fields and not numbers");
      read_type(scanner.quoted(), known, npy_void, header);
    } else if (key == "fortran_order") {
      header.fortran_order = scanner.truth();
    } else if (key == "shape") {
      header.shape = shape_of(scanner);
    } else {
      throw SnapshotError("its header says '" + key + "', which is no key of a .npy file");
    }
    if (!scanner.take(',')) {
      scanner.expect('}');
      break;
    }
  }
  if (!scanner.at_end()) throw SnapshotError("its header goes on after its end");
  constexpr std::size_t kKeys = 3;
  if (seen.size() != kKeys) throw SnapshotError("its header does not say descr, fortran_order and shape");
  return header;
}

}  // namespace negatron
