#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/data/augmentation.h"

namespace negatron {

/// Names of recipes for views: moco-v2, simclr, byol (the papers' values, for colour images), grey (the defaults, for
/// small grey images) and none (whole images).
std::vector<std::string> view_recipe_names();

/// What the recipe of that name sets; blurs are those of views of 224 x 224. Throws std::invalid_argument for a name
/// that is not known. Local.
AugmentationOptions view_recipe(std::string_view name);

}  // namespace negatron
