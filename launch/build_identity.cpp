#include "launch/build_identity.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "launch/version.h"

namespace negatron {
namespace {

struct LoadedBuild {
  /// Hexadecimal; empty where the linker gave none.
  std::string build_id;
  std::string torch_path;
};

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 0xF];
  }
  return text;
}

/// Notes are a header, a name and a description, each padded to 4 bytes.
std::string build_id_in(const char* notes, std::size_t bytes) {
  constexpr std::size_t kAlignment = 4;
  const auto padded = [](std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; };
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes, sizeof head);
    const std::size_t name = padded(head.n_namesz), description = padded(head.n_descsz);
    const std::size_t whole = sizeof head + name + description;
    if (whole > bytes) break;
    if (head.n_type == NT_GNU_BUILD_ID) {
      return hexadecimal(reinterpret_cast<const unsigned char*>(notes + sizeof head + name), head.n_descsz);
    }
    notes += whole;
    bytes -= whole;
  }
  return {};
}

int look_at_object(dl_phdr_info* info, std::size_t, void* found) {
  auto& build = *static_cast<LoadedBuild*>(found);
  const std::string_view path = info->dlpi_name;
  if (path.find("libtorch_cpu.") != std::string_view::npos) build.torch_path = path;
  // The program itself has no name.
  if (!path.empty() || !build.build_id.empty()) return 0;
  for (int i = 0; i < info->dlpi_phnum && build.build_id.empty(); ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    build.build_id = build_id_in(reinterpret_cast<const char*>(info->dlpi_addr + part.p_vaddr), part.p_memsz);
  }
  return 0;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  return error ? "unknown" : std::to_string(bytes);
}

}  // namespace

std::string build_identity() {
  LoadedBuild build;
  dl_iterate_phdr(look_at_object, &build);
  const std::string program =
      build.build_id.empty() ? "a program of " + bytes_of("/proc/self/exe") + " bytes" : "build id " + build.build_id;
  return version_line() + "\n" + program + "\nlibtorch_cpu of " + bytes_of(build.torch_path) + " bytes\n";
}

}  // namespace negatron
