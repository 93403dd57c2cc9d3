#pragma once

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// Bytes [begin, begin + size) of another file, as a file of their own. The caller has seen that it has them.
class FilePart : public InputFile {
 public:
  FilePart(std::shared_ptr<const InputFile> whole, std::int64_t begin, std::int64_t size)
      : whole_(std::move(whole)), begin_(begin), size_(size) {}

  std::int64_t size() const override { return size_; }
  void read(std::int64_t offset, std::span<std::byte> bytes) const override {
    if (static_cast<std::int64_t>(bytes.size()) > size_ - offset) throw SnapshotError("it ends too early");
    whole_->read(begin_ + offset, bytes);
  }

 private:
  std::shared_ptr<const InputFile> whole_;
  std::int64_t begin_;
  std::int64_t size_;
};

/// Bytes in memory, as a file.
class HeldFile : public InputFile {
 public:
  explicit HeldFile(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  void read(std::int64_t offset, std::span<std::byte> bytes) const override {
    if (static_cast<std::int64_t>(bytes.size()) > size() - offset) throw SnapshotError("it ends too early");
    if (!bytes.empty()) std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace negatron
