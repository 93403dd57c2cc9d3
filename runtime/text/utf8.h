#pragma once

#include <cstddef>
#include <string_view>

namespace negatron {

/// How many bytes the first character of a text in UTF-8 has; 0 for an empty text, and where no character begins.
/// Local.
std::size_t utf8_character(std::string_view text);

/// Whether a text is UTF-8 from its beginning to its end, without a byte that is 0. Local.
bool is_utf8(std::string_view text);

}  // namespace negatron
