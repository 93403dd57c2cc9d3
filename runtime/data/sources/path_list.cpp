#include "runtime/data/sources/path_list.h"

#include "runtime/data/sources/read_file.h"

namespace negatron {

void PathList::add(std::string_view path) {
  characters_ += path;
  ends_.push_back(characters_.size());
}

std::string_view PathList::operator[](std::int64_t i) const {
  const auto index = static_cast<std::size_t>(i);
  const std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(characters_).substr(begin, ends_[index] - begin);
}

std::int64_t PathList::bytes() const noexcept {
  return static_cast<std::int64_t>(characters_.capacity() + ends_.capacity() * sizeof(std::uint64_t));
}

std::vector<std::uint8_t> PathFiles::bytes(std::int64_t id) const {
  return read_image_file(path_of(id));
}

}  // namespace negatron
