#include "runtime/weights/pickle_bytes.h"

namespace negatron {

std::string_view PickleBytes::take(std::uint64_t count) {
  if (count > rest_.size()) throw PickleError("its pickle is cut short");
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint64_t PickleBytes::take_number(std::size_t bytes) {
  const std::string_view taken = take(bytes);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) number |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
  return number;
}

std::string PickleBytes::take_line() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) throw PickleError("its pickle is cut short");
  const std::string line(take(end));
  take(1);
  return line;
}

}  // namespace negatron
