#pragma once

// The project's one precompiled header: the standard library, ATen, autograd and torch's module, which cost twenty
// seconds to parse and which nearly every file needs. torch/nn.h and torch/optim.h stay out: they add three seconds of
// template instantiation to every file that so much as sees them. Include their narrow headers
// (torch/nn/modules/conv.h) where they are used.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/ATen.h>
#include <torch/autograd.h>
#include <torch/nn/module.h>
