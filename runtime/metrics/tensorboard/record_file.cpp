#include "runtime/metrics/tensorboard/record_file.h"

#include <utility>

#include <boost/crc.hpp>

namespace negatron {
namespace {

constexpr std::uint32_t kMask = 0xa282ead8U;
constexpr int kRotation = 15, kWord = 32;
/// Castagnoli's polynomial, with bits in the order and with the complements that all who say CRC-32C mean.
using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <typename Number>
void add_little_endian(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(number); ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  Crc32c sum;
  sum.process_bytes(bytes.data(), bytes.size());
  const std::uint32_t crc = sum.checksum();
  return ((crc >> kRotation) | (crc << (kWord - kRotation))) + kMask;
}

std::string framed_record(std::string_view record) {
  std::string bytes;
  add_little_endian(bytes, static_cast<std::uint64_t>(record.size()));
  add_little_endian(bytes, masked_crc32c(bytes));
  bytes.append(record);
  add_little_endian(bytes, masked_crc32c(record));
  return bytes;
}

RecordFile::RecordFile(std::filesystem::path path, std::string head, AppendedFile::Warn warn)
    : file_(std::move(path), {AppendedFile::Tail::kKept, std::move(head), "records"}, std::move(warn)) {}

void RecordFile::append(std::string_view record) {
  file_.append(framed_record(record));
}

}  // namespace negatron
