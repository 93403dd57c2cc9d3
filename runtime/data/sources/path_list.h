#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/data/sources/encoded_files.h"

namespace negatron {

/// Many paths in little memory: their characters one behind the other, and where each begins. Local.
class PathList {
 public:
  void add(std::string_view path);
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(ends_.size()); }
  std::string_view operator[](std::int64_t i) const;
  std::int64_t bytes() const noexcept;

 private:
  std::string characters_;
  std::vector<std::uint64_t> ends_;
};

/// Image files by their paths, which are relative to a folder, or absolute.
class PathFiles : public EncodedFiles {
 public:
  PathFiles(std::filesystem::path folder, PathList paths, std::string fingerprint)
      : folder_(std::move(folder)), paths_(std::move(paths)), fingerprint_(std::move(fingerprint)) {}

  std::int64_t size() const override { return paths_.size(); }
  std::vector<std::uint8_t> bytes(std::int64_t id) const override;
  std::string name(std::int64_t id) const override { return path_of(id).string(); }
  std::string fingerprint() const override { return fingerprint_; }
  std::int64_t bytes_of_index() const override { return paths_.bytes(); }

 private:
  std::filesystem::path path_of(std::int64_t id) const { return folder_ / paths_[id]; }

  std::filesystem::path folder_;
  PathList paths_;
  std::string fingerprint_;
};

}  // namespace negatron
