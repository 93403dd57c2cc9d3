#pragma once

#include <string>
#include <vector>

namespace negatron {

/// What this program calls a flag that other programs of the field, or a section of their files, call `typed`:
/// "bank-rows" for "queue_size", "tau" for "optimizer.temperature". The likeliest first; empty where nothing is known.
/// Which command has the flag is not looked at. Local.
std::vector<std::string> flags_known_as(const std::string& typed);

/// All names that flags_known_as() gives. Local.
std::vector<std::string> flags_with_other_names();

/// The name as this program would spell it: small letters, '-' for '_', and without what stands before the last dot.
/// Local.
std::string flag_spelling(const std::string& typed);

/// The file of the method that people call so: "launch/presets/moco-v2.ini" for "moco", "MoCo-v2" and "mocov2"; empty
/// where there is none. Local.
std::string preset_of(const std::string& method);

}  // namespace negatron
