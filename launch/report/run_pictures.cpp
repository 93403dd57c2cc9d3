#include "launch/report/run_pictures.h"

#include <c10/util/Exception.h>

#include <fstream>
#include <sstream>

#include "launch/pretrain/saved_settings.h"
#include "runtime/data/registry.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {
namespace {

/// As `negatron bank` takes without --memory.
constexpr std::int64_t kMemory = std::int64_t{256} << 20;

/// The images that a run trained on.
std::shared_ptr<const ImageSource> training_images(const std::filesystem::path& run) {
  std::ifstream file(run / "config.ini");
  std::ostringstream config;
  config << file.rdbuf();
  const PretrainOptions options = options_of(saved_settings(config.str()));
  prepare_images(options.data);
  return load_pretrain_data(options, resolve_contrast(options)).train;
}

std::vector<NearPictures> pictures_or_throw(const std::filesystem::path& run, const PictureOptions& options) {
  const PosixFileLayer files;
  const BankMemory memory(kMemory);
  // First the bank: where there is none, no data need be opened.
  const OpenBank bank = open_bank(files, run, memory);
  return near_pictures(bank, *training_images(run), options, memory);
}

}  // namespace

std::vector<NearPictures> run_pictures(const std::filesystem::path& run, const PictureOptions& options,
                                       std::string& why_not) {
  try {
    std::vector<NearPictures> pictures = pictures_or_throw(run, options);
    if (pictures.empty()) why_not = "its bank holds no sample that can be seen.";
    return pictures;
  } catch (const c10::Error& error) {
    why_not = error.what_without_backtrace();
  } catch (const std::exception& error) {
    why_not = error.what();
  }
  return {};
}

}  // namespace negatron
