#include "runtime/snapshots/manifest_banks.h"

#include <algorithm>
#include <set>
#include <string>

#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/text/utf8_text.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostWidth = 1 << 24;
/// The part of every rank in every batch of every bank is looked at.
constexpr std::int64_t kMostParts = std::int64_t{1} << 30;
/// A grid has room for batches that are smaller than the first: a run whose batches become this many times smaller is
/// none.
constexpr std::int64_t kMostCellsPerRow = 256;
constexpr std::size_t kMostBanks = 64;

Json bank_json(const SavedBank& bank) {
  const BankLayout layout(bank.layout, bank.shards);
  Json shards = Json::array();
  for (int shard = 0; shard < bank.shards; ++shard) {
    // Every rank's keys are spread over all batches, so what tells its part is the number of rows.
    shards.push_back(
        {{"file", bank_file_name(shard, bank.shards, bank.name)}, {"rows", RingOrder(layout, shard).size()}});
  }
  Json batches = Json::array();
  for (const BankBatch& batch : bank.layout.batches) batches.push_back({batch.start, batch.size, batch.step});
  Json json{{"capacity", bank.layout.capacity},
            {"width", bank.width},
            {"dtype", dtype_text(bank.dtype)},
            {"filled", layout.filled()},
            {"shards", shards},
            {"layout",
             {{"columns", bank.layout.columns},
              {"height", bank.layout.height},
              {"head", bank.layout.head},
              {"next_number", bank.layout.next_number},
              {"batches", batches}}}};
  // Queues are described as they were before there were other kinds.
  if (bank.kind != BankKind::kQueue) json["kind"] = kind_text(bank.kind);
  // So are rows that learn, before there was more than one way.
  if (bank.row_optimizer != RowOptimizerKind::kSgd) json["row_optimizer"] = row_optimizer_text(bank.row_optimizer);
  if (bank.length != RowLength::kUnit) json["row_length"] = name_of(bank.length);
  if (!bank.name.empty()) json["name"] = bank.name;
  return json;
}

/// `most_parts` may be looked at: a part is that of a rank in a batch.
SavedBank bank_of(const Json& json, std::int64_t most_parts = kMostParts) {
  SavedBank bank;
  const Json& layout = json.at("layout");
  bank.layout = {json.at("capacity"), layout.at("columns"),     layout.at("height"),
                 layout.at("head"),   layout.at("next_number"), {}};
  // Batches have consecutive numbers, so the next one tells all: with next_number 3 and two batches they are 1 and 2.
  std::int64_t number = bank.layout.next_number - static_cast<std::int64_t>(layout.at("batches").size());
  for (const Json& batch : layout.at("batches")) {
    bank.layout.batches.push_back({number++, batch.at(0), batch.at(1), batch.at(2)});
  }
  bank.shards = static_cast<int>(json.at("shards").size());
  bank.width = json.at("width");
  bank.dtype = dtype_of_text(json.at("dtype"));
  if (json.contains("kind")) bank.kind = kind_of_text(json.at("kind"));
  if (json.contains("row_optimizer") && !rows_learn(bank.kind)) {
    throw SnapshotError("its " + kind_text(bank.kind) + " bank says by what its rows are trained");
  }
  if (json.contains("row_optimizer")) bank.row_optimizer = row_optimizer_of_text(json.at("row_optimizer"));
  if (json.contains("row_length")) bank.length = length_of_text(json.at("row_length"));
  if (json.contains("name")) bank.name = json.at("name");
  if (!bank.name.empty() && !is_bank_name(bank.name)) {
    throw SnapshotError("it has a bank of the impossible name '" + shown_text(bank.name) + "'");
  }
  if (bank.width < 1 || bank.width > kMostWidth) {
    throw SnapshotError("its bank has rows of width " + std::to_string(bank.width));
  }
  if (bank.shards > kMostSavedRanks) {
    throw SnapshotError("its bank lies over " + std::to_string(bank.shards) + " ranks");
  }
  if (static_cast<std::int64_t>(bank.layout.batches.size()) > most_parts / std::max(1, bank.shards)) {
    throw SnapshotError("its bank lies in " + std::to_string(bank.layout.batches.size()) + " batches over " +
                        std::to_string(bank.shards) + " ranks");
  }
  // Refuses what contradicts itself.
  [[maybe_unused]] const BankLayout valid(bank.layout, bank.shards);
  if (bank.kind == BankKind::kLearned && bank.length == RowLength::kAsMade) {
    throw SnapshotError(
        "its learned bank has rows of any length, and learned rows are unit rows or those of distances");
  }
  if (vector_width(bank.length, bank.width) < 1 || !can_be_stored(bank.length, bank.dtype)) {
    throw SnapshotError("its bank of distances has rows of width " + std::to_string(bank.width) + " in " +
                        dtype_text(bank.dtype));
  }
  if (rows_stay(bank.kind) && !is_table(bank.layout)) {
    throw SnapshotError("its " + kind_text(bank.kind) + " bank is not one batch of all its rows");
  }
  // Memory is taken for the grid when the bank is restored.
  if (bank.layout.height > kMostCellsPerRow * bank.layout.capacity / bank.layout.columns) {
    throw SnapshotError("its bank of " + std::to_string(bank.layout.capacity) + " rows has a grid of " +
                        std::to_string(bank.layout.columns) + " x " + std::to_string(bank.layout.height));
  }
  return bank;
}

}  // namespace

void add_banks(Json& body, const std::vector<SavedBank>& banks) {
  if (banks.empty()) return;
  if (banks.size() == 1 && banks.front().name.empty()) {
    body["bank"] = bank_json(banks.front());
    return;
  }
  Json list = Json::array();
  for (const SavedBank& bank : banks) list.push_back(bank_json(bank));
  body["banks"] = list;
}

std::vector<SavedBank> banks_of(const Json& json) {
  if (!json.contains("banks")) {
    return json.contains("bank") ? std::vector{bank_of(json.at("bank"))} : std::vector<SavedBank>();
  }
  const Json& list = json.at("banks");
  if (json.contains("bank") || !list.is_array() || list.empty() || list.size() > kMostBanks) {
    throw SnapshotError("it does not say which banks it has");
  }
  std::vector<SavedBank> banks;
  std::set<std::string> names;
  for (const Json& one : list) {
    banks.push_back(bank_of(one, kMostParts / static_cast<std::int64_t>(list.size())));
    names.insert(banks.back().name);
  }
  if (names.size() != banks.size() || names.contains("")) {
    throw SnapshotError("it has several banks that one name, or none, stands for");
  }
  return banks;
}

}  // namespace negatron
