#pragma once

#include <cstdint>
#include <iosfwd>

#include <nlohmann/json.hpp>

#include "runtime/bank_files/near_rows.h"

namespace negatron {

/// The answer of `negatron bank near`, for programs and for people. `first` is the number of the first query in its
/// file; queries that are samples are named by their ids.
nlohmann::ordered_json near_json(const NearQueries& queries, const NearRows& rows, std::int64_t first);
void print_near(std::ostream& out, const NearQueries& queries, const NearRows& rows, std::int64_t first);

}  // namespace negatron
