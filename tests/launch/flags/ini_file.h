#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace negatron::testing {

/// A configuration in a file, as long as it lives.
class IniFile {
 public:
  explicit IniFile(const std::string& text)
      : path_(std::filesystem::path(::testing::TempDir()) / ("flags-" + std::to_string(getpid()) + ".ini")) {
    std::ofstream(path_) << text;
  }
  ~IniFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace negatron::testing
