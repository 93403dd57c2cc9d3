#pragma once

// The project's one precompiled header: ATen and autograd, which cost twenty seconds to parse and which nearly every
// file needs. torch/nn.h and torch/optim.h stay out: they add three seconds of template instantiation to every file
// that so much as sees them. Include their narrow headers (torch/nn/modules/conv.h) where they are used.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <torch/autograd.h>
