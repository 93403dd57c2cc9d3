#pragma once

// comm/precompiled.h with torch's module and JSON, which most of runtime and launch see.

#include <torch/nn/module.h>
#include <nlohmann/json.hpp>

#include "comm/precompiled.h"
