#include "tests/runtime/metrics/tensorboard/told_events.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "runtime/metrics/tensorboard/events.pb.h"
#include "runtime/metrics/tensorboard/record_file.h"

namespace negatron::testing {
namespace {

constexpr std::size_t kLengthBytes = 8, kChecksumBytes = 4;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::uint64_t little_endian(const std::string& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

ToldEvent told(const events::Event& event) {
  ToldEvent one{event.wall_time(), event.step(), event.file_version(), false, {}, {}};
  one.starts = event.session_log().status() == events::SessionLog::START;
  for (const events::Summary::Value& value : event.summary().value()) {
    if (!value.has_histo()) one.scalars.emplace_back(value.tag(), value.simple_value());
    for (int i = 0; i < value.histo().bucket_size(); ++i) {
      one.buckets.emplace_back(value.histo().bucket_limit(i), value.histo().bucket(i));
    }
  }
  return one;
}

}  // namespace

std::vector<ToldEvent> told_events(const std::filesystem::path& path) {
  const std::string bytes = bytes_of(path);
  std::vector<ToldEvent> all;
  std::size_t at = 0;
  const auto take = [&](std::size_t count) {
    require(at + count <= bytes.size(), "a record is cut short");
    at += count;
    return bytes.substr(at - count, count);
  };
  const auto take_checked = [&](std::size_t count) {
    const std::string taken = take(count);
    require(little_endian(take(kChecksumBytes)) == masked_crc32c(taken), "a checksum is wrong");
    return taken;
  };
  while (at < bytes.size()) {
    events::Event event;
    require(event.ParseFromString(take_checked(little_endian(take_checked(kLengthBytes)))), "a record is no event");
    all.push_back(told(event));
  }
  return all;
}

}  // namespace negatron::testing
