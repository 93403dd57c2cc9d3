#include "launch/flags/byte_size.h"

#include <gtest/gtest.h>

#include "launch/exit_code.h"

namespace negatron::testing {
namespace {

TEST(ByteSize, IsReadAndShownInItsLargestUnit) {
  std::int64_t bytes = 1;
  const TypedField field = byte_size_field(&bytes);
  const auto read = [&](const std::string& text) {
    field.read("data-memory", text);
    return bytes;
  };
  EXPECT_EQ(read("2GiB"), std::int64_t{2} << 30);
  EXPECT_EQ(field.text(), "2GiB");
  EXPECT_EQ(read("2048MiB"), std::int64_t{2} << 30);
  EXPECT_EQ(field.text(), "2GiB");
  EXPECT_EQ(read("3KiB"), 3072);
  EXPECT_EQ(read("1TiB"), std::int64_t{1} << 40);
  EXPECT_EQ(read("1000"), 1000);
  EXPECT_EQ(field.text(), "1000");
}

TEST(ByteSize, RefusesWhatIsNone) {
  std::int64_t bytes = 7;
  const TypedField field = byte_size_field(&bytes);
  for (const char* text : {"", "0", "-1", "GiB", "2 GiB", "2GB", "1.5GiB", "9999999999GiB", "99999999999999999999"}) {
    try {
      field.read("data-memory", text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("--data-memory is '"), std::string::npos);
    }
    EXPECT_EQ(bytes, 7);
  }
}

}  // namespace
}  // namespace negatron::testing
