#include "samplers/exchange/rows/row_route.h"

#include <stdexcept>

#include "comm/queued_copy.h"
#include "comm/share.h"
#include "samplers/bank/equal_numbers.h"

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;

BankPlace place_of_written(const BankLayout& layout, std::int64_t slot) {
  const std::optional<BankPlace> place = layout.place_of(slot);
  if (!place) throw std::invalid_argument("row fetch: a slot was asked for that no key was written to");
  return *place;
}

/// Where each of these slots lies.
std::vector<BankPlace> places_of_written(const BankLayout& layout, const std::vector<std::int64_t>& slots) {
  std::vector<BankPlace> places;
  places.reserve(slots.size());
  for (const std::int64_t slot : slots) places.push_back(place_of_written(layout, slot));
  return places;
}

std::vector<std::int64_t> on_host(const at::Tensor& numbers) {
  const at::Tensor host = numbers.cpu();
  const auto* value = host.const_data_ptr<std::int64_t>();
  return {value, value + host.numel()};
}

/// Positions among `places`, those on rank 0 first and those on `last` behind all others.
std::vector<std::size_t> by_owner(const std::vector<BankPlace>& places, const Counts& counts, int last) {
  std::vector<std::int64_t> next;
  std::int64_t begin = 0;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    next.push_back(begin);
    if (static_cast<int>(rank) != last) begin += counts[rank];
  }
  next[static_cast<std::size_t>(last)] = begin;
  std::vector<std::size_t> order(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    order[static_cast<std::size_t>(next[static_cast<std::size_t>(places[i].rank)]++)] = i;
  }
  return order;
}

/// What a rank named, with all of its route but what others ask of it.
struct OwnNamings {
  RowRoute route;
  std::vector<std::int64_t> asking;  // [D] rows of others, those of rank 0 first
};

// Example with 2 ranks: rank 0 names slots 7, 3, 7, none, where slot 3 lies here and slot 7 on rank 1. Distinct they
// are 3, 7. One row is asked for, of rank 1, which entries 0 and 2 name: place 0. The own one has place 1, so the index
// is 0, 1, 0, -1. Every rank knows by the layout where a slot lies, so what is asked for are local rows and not slots.
OwnNamings name_rows(const Bank& bank, const std::int64_t* slots, std::int64_t count) {
  const EqualNumbers named = find_equal(slots, count);
  const std::vector<BankPlace> places = places_of_written(bank.layout(), named.values);
  OwnNamings own;
  RowRoute& route = own.route;
  route.asked.resize(static_cast<std::size_t>(bank.layout().ranks()));
  for (const BankPlace& place : places) ++route.asked[static_cast<std::size_t>(place.rank)];
  const std::vector<std::size_t> order = by_owner(places, route.asked, bank.rank());
  route.asked[static_cast<std::size_t>(bank.rank())] = 0;
  route.index.resize(static_cast<std::size_t>(count), -1);
  route.namings.begins.push_back(0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const BankPlace& place = places[order[i]];
    const bool is_own = place.rank == bank.rank();
    (is_own ? route.own : own.asking).push_back(place.row);
    for (std::int64_t at = named.begins[order[i]]; at < named.begins[order[i] + 1]; ++at) {
      const std::int64_t entry = named.positions[static_cast<std::size_t>(at)];
      route.index[static_cast<std::size_t>(entry)] = static_cast<std::int64_t>(i);
      if (!is_own) route.namings.places.push_back(entry);
    }
    if (!is_own) route.namings.begins.push_back(static_cast<std::int64_t>(route.namings.places.size()));
  }
  return own;
}

/// Of slots that another rank named, those that lie here, in their order.
std::vector<std::int64_t> slots_here(const Bank& bank, const std::int64_t* slots, std::int64_t count) {
  const BankLayout& layout = bank.layout();
  // Slots of rows that stay are divided by share(): two comparisons in the place of several divisions.
  const bool stay = rows_stay(bank.kind());
  const Range own = share(layout.capacity(), layout.ranks(), bank.rank());
  std::vector<std::int64_t> here;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t slot = slots[i];
    if (slot < 0) continue;
    const bool is_here = stay && slot < layout.capacity() ? slot >= own.begin && slot < own.end
                                                          : place_of_written(layout, slot).rank == bank.rank();
    if (is_here) here.push_back(slot);
  }
  return here;
}

}  // namespace

RowRoute asked_row_route(Communicator& comm, const Bank& bank, const at::Tensor& slots) {
  const at::Tensor host = slots.contiguous();
  OwnNamings own = name_rows(bank, host.const_data_ptr<std::int64_t>(), host.numel());
  RowRoute route = std::move(own.route);
  // Two collectives in this order on every rank, also on one that asks for nothing: how many, and which.
  // They travel from device to device where the bank is on one, as all else does.
  const auto beside_bank = [&](const std::vector<std::int64_t>& numbers) {
    return queued_copy(at::tensor(numbers, at::kLong), bank.shard().rows.vectors.device());
  };
  route.asked_of_us = on_host(comm.all_to_all(beside_bank(route.asked)));
  route.wanted = on_host(comm.all_to_all(beside_bank(own.asking), route.asked, route.asked_of_us));
  return route;
}

// Each rank's distinct slots in ascending order, those that lie here: the order in which that rank asks for them.
RowRoute known_row_route(const Bank& bank, const at::Tensor& slots, at::IntArrayRef counts) {
  const at::Tensor host = slots.contiguous();
  const auto* slot = host.const_data_ptr<std::int64_t>();
  RowRoute route;
  std::vector<std::int64_t> wanted;
  std::vector<std::int64_t> asked_of_us;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    const std::size_t before = wanted.size();
    if (static_cast<int>(rank) == bank.rank()) {
      route = name_rows(bank, slot, counts[rank]).route;
    } else {
      const std::vector<std::int64_t> here = slots_here(bank, slot, counts[rank]);
      const EqualNumbers named = find_equal(here.data(), static_cast<std::int64_t>(here.size()));
      for (const BankPlace& place : places_of_written(bank.layout(), named.values)) wanted.push_back(place.row);
    }
    asked_of_us.push_back(static_cast<std::int64_t>(wanted.size() - before));
    slot += counts[rank];
  }
  route.wanted = std::move(wanted);
  route.asked_of_us = std::move(asked_of_us);
  return route;
}

Work start_to_askers(Communicator& comm, const RowRoute& route, const at::Tensor& values) {
  return comm.start_all_to_all(values, route.asked_of_us, route.asked);
}

at::Tensor to_owners(Communicator& comm, const RowRoute& route, const at::Tensor& values) {
  return comm.all_to_all(values, route.asked, route.asked_of_us);
}

}  // namespace negatron
