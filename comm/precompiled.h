#pragma once

// What nearly every file needs and what costs seconds to parse: the standard library and ATen, precompiled for comm and
// samplers; runtime/precompiled.h is for what lies above. gcc instantiates in every file the templates that the inline
// functions of these headers use, whether the file does or not: two seconds for ATen, one more for each of torch's
// autograd and module. So autograd stays out, and torch/nn.h and torch/optim.h, which cost three. Include such headers
// (torch/autograd.h, torch/nn/modules/conv.h) where they are used.

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
