#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace negatron::testing {

/// A header of a tar archive, with its checksum.
inline std::string tar_header(const std::string& name, std::int64_t size, char kind = '0',
                              const std::string& prefix = "") {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  const auto octal = [](std::int64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return std::string(text);
  };
  put(0, name.substr(0, 100));
  put(100, octal(0644, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  block[156] = kind;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(345, prefix);
  put(148, "        ");
  std::int64_t sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

inline std::string tar_member(const std::string& name, const std::string& bytes, char kind = '0',
                              const std::string& prefix = "") {
  const std::size_t fill = (512 - bytes.size() % 512) % 512;
  return tar_header(name, static_cast<std::int64_t>(bytes.size()), kind, prefix) + bytes + std::string(fill, '\0');
}

/// "LENGTH key=value\n", whose length counts its own digits.
inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

inline std::string tar_end() {
  return std::string(1024, '\0');
}

}  // namespace negatron::testing
