// Safetensors files, well formed and hostile.

#include <fstream>

#include <gtest/gtest.h>

#include "runtime/weights/safetensors_file.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

class Safetensors : public ::testing::Test {
 protected:
  /// A file of a header and so many bytes of values: 0, 1, 2, ...
  std::string write(const std::string& header, std::size_t bytes, std::optional<std::uint64_t> length = {}) {
    std::ofstream file(path(), std::ios::binary);
    const std::uint64_t said = length.value_or(header.size());
    file.write(reinterpret_cast<const char*>(&said), sizeof said);
    file << header;
    for (std::size_t i = 0; i < bytes; ++i) file.put(static_cast<char>(i));
    return path();
  }
  std::string path() const { return (folder_ / "weights.safetensors").string(); }
  std::string refusal() const {
    try {
      read_saved_weights(path());
    } catch (const WeightsError& error) {
      return error.what();
    }
    return "accepted";
  }
  void refused(const std::string& header, std::size_t bytes, const std::string& reason,
               std::optional<std::uint64_t> length = {}) {
    write(header, bytes, length);
    const std::string text = refusal();
    EXPECT_NE(text.find(reason), std::string::npos) << header << ": " << text;
    EXPECT_NE(text.find(path()), std::string::npos) << text;
  }

  TemporaryDirectory folder_;
};

TEST_F(Safetensors, HoldTensorsOfTheirTypesAndShapes) {
  write(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6]},)"
      R"("a":{"dtype":"I16","shape":[1],"data_offsets":[6,8]},"none":{"dtype":"F32","shape":[0,4],"data_offsets":[8,8]},)"
      R"("scalar":{"dtype":"I8","shape":[],"data_offsets":[8,9]}} )",
      9);
  const SavedWeights weights = read_saved_weights(path());
  ASSERT_EQ(weights.size(), 4U);
  EXPECT_TRUE(at::equal(weights.at("b"), at::arange(6, at::kByte).view({2, 3})));
  EXPECT_EQ(weights.at("a").item<std::int64_t>(), 6 + 7 * 256);
  EXPECT_EQ(weights.at("none").sizes(), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(weights.at("scalar").dim(), 0);
  EXPECT_EQ(weights.at("scalar").item<std::int64_t>(), 8);
}

TEST_F(Safetensors, ThatSayWhatIsNotSoAreRefused) {
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& place) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + place + "}}";
  };
  const std::string good = one("F32", "[2]", "[0,8]");
  write(good, 8);
  EXPECT_EQ(refusal(), "accepted");
  refused(good, 7, "ends before 'a'");
  refused(good, 9, "goes on behind its last tensor");
  refused(good, 8, "header would be", std::uint64_t{1} << 62);
  refused(good, 8, "header would be", ~std::uint64_t{0});
  refused(good, 8, "not a JSON object", good.size() - 3);
  refused(one("F32", "[2]", "[4,12]"), 12, "wrong place");
  refused(one("F32", "[2]", "[8,0]"), 8, "wrong place");
  refused(one("F32", "[3]", "[0,8]"), 8, "bytes of its shape");
  refused(one("F32", "[4611686018427387904,4]", "[0,8]"), 8, "bytes of its shape");
  refused(one("F32", "[0,9223372036854775807,9223372036854775807]", "[0,8]"), 8, "bytes of its shape");
  refused(one("F32", "[-2]", "[0,8]"), 8, "whole numbers");
  refused(one("F32", "[2.0]", "[0,8]"), 8, "whole numbers");
  refused(one("F32", "[2]", "[0,18446744073709551615]"), 8, "whole numbers");
  refused(one("F32", "[2]", "[0]"), 8, "does not say where");
  refused(one("F8_E4M3", "[8]", "[0,8]"), 8, "as F8_E4M3, which is not read");
  refused(R"({"a":3})", 8, "does not say where 'a'");
  refused(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      12, "'b' lies in the wrong place");
  refused(std::string(100'000, '{'), 8, "not a JSON object");
  std::filesystem::resize_file(write(good, 8), 8);
  EXPECT_NE(refusal().find("neither a safetensors file nor"), std::string::npos) << refusal();
}

TEST_F(Safetensors, NestedAsDeepAsTheHeaderAllowsAreRefusedAndNotFollowed) {
  refused("{\"a\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", 8, "does not say where");
}

}  // namespace
}  // namespace negatron::testing
