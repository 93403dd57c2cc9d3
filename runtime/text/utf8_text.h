#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace negatron {

/// Names of files and hosts are bytes; what is printed, and what stands in JSON, is UTF-8. All functions are local.

/// The bytes as UTF-8 that can be turned back: a byte that belongs to no character stands as \xNN (two hexadecimal
/// digits), and a backslash before an x as \x5c. UTF-8 without "\x" stays as it is. In Python the bytes are
/// re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), text.encode()).
std::string utf8_text(std::string_view bytes);

/// The bytes for a terminal: as utf8_text, and control characters stand as \xNN too, but for line breaks and tabs.
std::string terminal_text(std::string_view bytes);

/// As much as a message shows of a text that came out of a file.
inline constexpr std::size_t kMostShownBytes = 80;

/// What a message shows of text that came out of a file, whoever made it: in one line, without control characters, and
/// of more than `most` bytes the first, with "..." behind them.
std::string shown_text(std::string_view bytes, std::size_t most = kMostShownBytes);

}  // namespace negatron
