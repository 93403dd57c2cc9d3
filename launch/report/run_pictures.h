#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/reports/near_pictures.h"

namespace negatron {

/// Pictures of a run (near_pictures.h): from the bank of its newest snapshot that verifies, and the images that its
/// config.ini names. `why_not` gets the reason where there are none. Local.
std::vector<NearPictures> run_pictures(const std::filesystem::path& run, const PictureOptions& options,
                                       std::string& why_not);

}  // namespace negatron
