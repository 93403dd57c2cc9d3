#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "comm/communicator.h"
#include "comm/rank_texts.h"

namespace negatron {

/// What each rank knows of its host and process, in rank order: [P]. `Facts` is a struct that nlohmann's library turns
/// into JSON and back. Collective. Bytes received per rank: as gather_texts().
template <class Facts>
std::vector<Facts> gather_facts(Communicator& comm, const Facts& own) {
  using Json = nlohmann::json;
  // Names of hosts and files are bytes, and need not be UTF-8.
  const std::string text = Json(own).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::vector<Facts> all;
  for (const std::string& of_rank : gather_texts(comm, text)) all.push_back(Json::parse(of_rank).get<Facts>());
  return all;
}

}  // namespace negatron
