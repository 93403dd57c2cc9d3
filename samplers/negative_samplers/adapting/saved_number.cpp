#include "samplers/negative_samplers/adapting/saved_number.h"

#include <charconv>
#include <string>

namespace negatron {

bool read_saved_number(std::istream& text, double& number) {
  std::string word;
  if (!(text >> word)) return false;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace negatron
