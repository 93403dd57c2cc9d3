#include "samplers/exchange/rows/listed_rows.h"

#include <numeric>

#include <ATen/core/grad_mode.h>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "samplers/bank/equal_numbers.h"

namespace negatron {
namespace {

/// The places of entries where the shard's own rows stand behind the D that came.
std::vector<std::int64_t> places_in_shard(const RowRoute& route) {
  const std::int64_t came = route.asked_of_others();
  std::vector<std::int64_t> places;
  places.reserve(route.index.size());
  for (const std::int64_t place : route.index) {
    places.push_back(place < came ? place : came + route.own[static_cast<std::size_t>(place - came)]);
  }
  return places;
}

/// Which vectors are of which own row, where those that came from others, [A], stand before those of the n own entries.
struct OwnersTerms {
  std::vector<std::int64_t> rows;
  RowTerms terms;
};

// Example: rank 1 of three owns rows 4 and 9 of those that were named. Rank 0 asked it for 9, rank 2 for 4 and 9, and
// its own entries name 9, a row of another, 4. Of the vectors 0 is from rank 0, 1 and 2 are from rank 2, 3 to 5 are of
// entries: row 4 gets 5 and 1, row 9 gets 0, 3 and 2, in the order of the ranks.
OwnersTerms terms_of_owner(const RowRoute& route, std::size_t rank) {
  const std::int64_t came = route.asked_of_others();
  const auto wanted = static_cast<std::int64_t>(route.wanted.size());
  const std::int64_t before = std::accumulate(
      route.asked_of_us.begin(), route.asked_of_us.begin() + static_cast<std::ptrdiff_t>(rank), std::int64_t{0});
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> places;
  rows.reserve(route.wanted.size() + route.index.size());
  places.reserve(rows.capacity());
  const auto add = [&](std::int64_t row, std::int64_t place) {
    rows.push_back(row);
    places.push_back(place);
  };
  for (std::int64_t i = 0; i < before; ++i) add(route.wanted[static_cast<std::size_t>(i)], i);
  for (std::size_t entry = 0; entry < route.index.size(); ++entry) {
    if (route.index[entry] < came) continue;
    add(route.own[static_cast<std::size_t>(route.index[entry] - came)], wanted + static_cast<std::int64_t>(entry));
  }
  for (std::int64_t i = before; i < wanted; ++i) add(route.wanted[static_cast<std::size_t>(i)], i);

  EqualNumbers equal = find_equal(rows.data(), static_cast<std::int64_t>(rows.size()));
  for (std::int64_t& position : equal.positions) position = places[static_cast<std::size_t>(position)];
  return {std::move(equal.values), {std::move(equal.begins), std::move(equal.positions)}};
}

}  // namespace

ListedRows::ListedRows(Communicator& group, const Bank& bank, const at::Tensor& slots, at::IntArrayRef queries,
                       at::ScalarType type)
    : group_(group) {
  require(slots.dim() == 2 && slots.is_cpu() && (slots >= 0).all().item<bool>(),
          "ListedRows: slots must be [Q, U] of rows there are, on the host");
  require(static_cast<int>(queries.size()) == group.size() &&
              std::accumulate(queries.begin(), queries.end(), std::int64_t{0}) == slots.size(0),
          "ListedRows: the queries of all ranks must be as many as there are rows of slots");
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> entries = queries.vec();
  for (std::int64_t& count : entries) count *= slots.size(1);
  route_ = known_row_route(bank, slots.flatten(), entries);
  const at::Tensor& stored = bank.shard().rows.vectors;
  const at::Tensor none = stored.narrow(0, 0, 0);
  const at::Tensor wanted = gather_stacked({stored, none}, route_.wanted, stored.scalar_type());
  const at::Tensor came = start_to_askers(group, route_, wanted).wait();
  vectors_ = gather_stacked({came, stored}, places_in_shard(route_), type)
                 .view({queries[static_cast<std::size_t>(group.rank())], slots.size(1), bank.width()})
                 .requires_grad_();
}

// Example with 2 ranks, as in name_rows() of row_route.cpp: this rank named slots 7, 3, 7. The gradients of entries 0
// and 2 are added and go to the owner of slot 7, which remembers by `wanted` of which row they are; that of entry 1
// stays here. Had the other rank named slot 7 as well, the owner would add both.
GradientOfRows ListedRows::gradient() const {
  const at::NoGradGuard no_grad;
  const at::Tensor& left = vectors_.grad();
  const at::Tensor arrived = (left.defined() ? left.contiguous() : at::zeros_like(vectors_)).flatten(0, 1);  // [n, d]
  const at::Tensor none = arrived.narrow(0, 0, 0);
  const at::Tensor came = to_owners(group_, route_, sum_stacked({arrived, none}, route_.namings));  // [A, d]
  const OwnersTerms own = terms_of_owner(route_, static_cast<std::size_t>(group_.rank()));
  return {queued_copy(at::tensor(own.rows, at::kLong), arrived.device()), sum_stacked({came, arrived}, own.terms)};
}

}  // namespace negatron
