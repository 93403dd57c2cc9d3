#include "runtime/matrices/write_npy.h"

#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/matrices/npy_file.h"
#include "runtime/snapshots/files/digested_file.h"

namespace negatron {
namespace {

/// As numpy has it, so that values lie at multiples of it.
constexpr std::size_t kNpyAlignment = 64;

const char* npy_type(at::ScalarType dtype) {
  constexpr std::array<std::pair<at::ScalarType, const char*>, 8> kTypes = {{{at::kDouble, "<f8"},
                                                                             {at::kFloat, "<f4"},
                                                                             {at::kHalf, "<f2"},
                                                                             {at::kLong, "<i8"},
                                                                             {at::kInt, "<i4"},
                                                                             {at::kShort, "<i2"},
                                                                             {at::kChar, "|i1"},
                                                                             {at::kByte, "|u1"}}};
  for (const auto& [known, text] : kTypes) {
    if (known == dtype) return text;
  }
  throw std::invalid_argument(std::string("A .npy file holds no ") + c10::toString(dtype) + ".");
}

std::string npy_head(at::ScalarType dtype, const std::vector<std::int64_t>& shape) {
  std::string text = std::string("{'descr': '") + npy_type(dtype) + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : shape) text += std::to_string(size) + ", ";
  text += "), }";
  std::string head(kNpyMagic);
  head += '\x01';
  head += '\x00';
  const std::size_t before = head.size() + sizeof(std::uint16_t);
  // The text ends with a line's end, at a multiple.
  const std::size_t whole = (before + text.size() + 1 + kNpyAlignment - 1) / kNpyAlignment * kNpyAlignment;
  text.resize(whole - before - 1, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  head += static_cast<char>(length & 0xFF);
  head += static_cast<char>(length >> 8);
  return head + text;
}

}  // namespace

void write_npy(FileLayer& files, const std::filesystem::path& path, at::ScalarType dtype,
               const std::vector<std::int64_t>& shape, const ByteSource& next) {
  const std::string head = npy_head(dtype, shape);
  const FileWriting writing;
  DigestedFile file(files, path, writing);
  file.append(std::as_bytes(std::span(head)));
  std::size_t left = c10::elementSize(dtype);
  for (const std::int64_t size : shape) left *= static_cast<std::size_t>(size);
  while (left > 0) {
    const std::span<const std::byte> bytes = next(left);
    file.append(bytes);
    left -= bytes.size();
  }
  file.finish();
}

std::filesystem::path npy_beside(const std::filesystem::path& path, const std::string& what) {
  std::filesystem::path other = path;
  return other.replace_extension("." + what + ".npy");
}

ByteSource bytes_of_tensor(const at::Tensor& tensor) {
  return [next = static_cast<const std::byte*>(tensor.const_data_ptr())](std::size_t count) mutable {
    const std::span<const std::byte> bytes(next, count);
    next += count;
    return bytes;
  };
}

}  // namespace negatron
