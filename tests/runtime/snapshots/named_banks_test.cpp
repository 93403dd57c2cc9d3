// Several banks in one snapshot, each with a name: what was saved by some ranks comes back on others, and files that
// say something else are refused.

#include <fstream>
#include <functional>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "comm/threads/thread_communicator.h"
#include "runtime/bank_files/verify_bank.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "tests/faults/hostile_manifest.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kNamedSteps = 4;

SmallRun words() {
  SmallRun run;
  run.rows = 17;
  run.kind = BankKind::kLearned;
  return run;
}

/// A queue called "items" and a learned bank of another size called "words".
SaveReport save_both(FileLayer& files, const std::filesystem::path& directory, std::int64_t step, int ranks) {
  SaveReport report;
  run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
    Bank of_items = SmallRun().bank(comm.rank(), comm.size());
    Bank of_words = words().bank(comm.rank(), comm.size());
    SmallRun().train(of_items, 0, step);
    words().train(of_words, 0, step);
    SnapshotStore store(files, directory, {});
    ASSERT_TRUE(store.start_save(comm, step, SmallRun().state(step), {{&of_items, "items"}, {&of_words, "words"}}));
    const SaveReport own = store.finish(comm);
    if (comm.rank() == 0) report = own;
  });
  return report;
}

TEST(NamedBanks, ComeBackOnOtherRanks) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(save_both(files, directory.path(), kNamedSteps, 3).state, SaveState::kCommitted);
  for (const int ranks : {1, 2, 4}) {
    run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
      PosixFileLayer own;
      const FoundSnapshot found = find_newest_snapshot(comm, own, directory.path(), {});
      ASSERT_TRUE(found.snapshot.has_value());
      Bank of_items = SmallRun().bank(comm.rank(), comm.size());
      load_bank(*found.snapshot, of_items, {false, std::int64_t{1} << 16, "items"});
      expect_equals_queue(of_items, SmallRun().queue(kNamedSteps));
      Bank of_words = words().bank(comm.rank(), comm.size());
      load_bank(*found.snapshot, of_words, {false, std::int64_t{1} << 16, "words"});
      Bank expected = words().bank(comm.rank(), comm.size());
      words().train(expected, 0, kNamedSteps);
      EXPECT_TRUE(at::equal(of_words.shard().raw, expected.shard().raw));
      EXPECT_TRUE(at::equal(of_words.shard().moments, expected.shard().moments));
      EXPECT_THROW(load_bank(*found.snapshot, of_words, {false, std::int64_t{1} << 16, "verbs"}), SnapshotError);
      EXPECT_THROW(load_bank(*found.snapshot, of_words, {}), SnapshotError);
    });
  }
}

TEST(NamedBanks, OfOneSnapshotAreDamagedByOneFile) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(save_both(files, directory.path(), kNamedSteps, 2).state, SaveState::kCommitted);
  const std::filesystem::path snapshot = directory / ("snapshots/" + step_name(kNamedSteps));
  std::fstream file(snapshot / bank_file_name(1, 2, "words"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-5, std::ios::end);
  file.put('?');
  file.close();
  const std::vector<std::string> problems = verify_snapshot(files, snapshot, 1 << 16);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("bank-words.00001-of-00002.h5"), std::string::npos) << problems[0];
}

TEST(NamedBanks, LeaveWithTheirSnapshotAndTakeNothingElseAlong) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const std::filesystem::path snapshots = directory / "snapshots";
  ASSERT_EQ(save_both(files, directory.path(), 1, 2).state, SaveState::kCommitted);
  std::ofstream(snapshots / step_name(1) / "bank-copy.h5") << "mine";
  ASSERT_EQ(save_both(files, directory.path(), 2, 2).state, SaveState::kCommitted);
  const SaveReport last = save_both(files, directory.path(), 3, 2);
  EXPECT_NE(last.problem.find("'bank-copy.h5' was put into"), std::string::npos) << last.problem;
  const std::vector<std::string> left = files.list(snapshots / (step_name(1) + ".kept"));
  EXPECT_EQ(left, std::vector<std::string>{"bank-copy.h5"});
}

TEST(NamedBanks, AreToldByTheNamesOfTheirFiles) {
  for (const char* bank : {"", "view-a", "7"}) {
    EXPECT_EQ(bank_of_virtual_file(virtual_bank_name(bank)), std::string(bank));
    EXPECT_EQ(bank_of_shard_file(bank_file_name(12, 100, bank)), std::string(bank));
    EXPECT_EQ(bank_of_shard_file(virtual_bank_name(bank)), std::nullopt);
    EXPECT_EQ(bank_of_virtual_file(bank_file_name(12, 100, bank)), std::nullopt);
  }
  for (const char* name : {"bank", "bank-.h5", "bank-a b.h5", "bank-A.h5", "bank-a.0-of-4.h5", "bankers.h5",
                           "my-bank.h5", "bank-a.00000-of-00004.h5.old", "bank..h5", "bank-a.h5.h5", ""}) {
    EXPECT_EQ(bank_of_virtual_file(name), std::nullopt) << name;
    EXPECT_EQ(bank_of_shard_file(name), std::nullopt) << name;
  }
}

/// Rows whose file has the digest that its manifest says, and that mean nothing.
TEST(NamedBanks, AreAllLookedAt) {
  for (const char* name : {"items", "words"}) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    ASSERT_EQ(save_both(files, directory.path(), kNamedSteps, 2).state, SaveState::kCommitted);
    const std::filesystem::path snapshot = directory / ("snapshots/" + step_name(kNamedSteps));
    EXPECT_TRUE(verify_bank(files, snapshot, BankMemory(64 << 20)).good());
    const SavedBank bank = *read_manifest(files, snapshot).bank_named(name);
    ShardSources sources;
    const std::filesystem::path file = snapshot / bank_file_name(0, 2, name);
    const Hdf5Reader whole(file);
    sources.blocks = [&, done = std::int64_t{0}](std::int64_t count) mutable {
      const auto part = [&](const char* dataset) { return whole.read_rows(dataset, done, count); };
      BankBlock block{2.0 * part("rows"), part("ids"), part("labels"), part("steps"), part("sequence")};
      done += count;
      return block;
    };
    if (rows_learn(bank.kind)) {
      const auto all_of = [&](LearnedDataset dataset) {
        return [&whole, dataset, done = std::int64_t{0}](std::int64_t count) mutable {
          done += count;
          return whole.read_rows(dataset.name, done - count, count);
        };
      };
      sources.raw = all_of(raw_dataset(bank));
      sources.moments = all_of(moments_dataset(bank));
    }
    const std::filesystem::path changed = directory / "changed.h5";
    write_bank_file(files, changed, bank, 0, sources, {});
    std::filesystem::rename(changed, file);
    renew_digests(snapshot);
    const SnapshotVerdict verdict = verify_bank(files, snapshot, BankMemory(64 << 20));
    for (const FileVerdict& one : verdict.files) {
      EXPECT_EQ(one.problem.empty(), one.name != file.filename().string()) << one.name << ": " << one.problem;
    }
  }
}

/// A manifest of two banks of one shard each, `change`d between its parts and its text.
std::string refusal_of_manifest(const std::function<void(Manifest&)>& change) {
  Manifest manifest;
  for (const char* name : {"items", "words"}) {
    SavedBank bank{BankLayout(7, 1, 3).state(), 1, 5};
    bank.name = name;
    manifest.banks.push_back(bank);
  }
  change(manifest);
  std::set<std::string> names;
  for (const SavedBank& bank : manifest.banks) {
    names.insert(virtual_bank_name(bank.name));
    names.insert(bank_file_name(0, 1, bank.name));
  }
  for (const std::string& name : names) manifest.files.push_back({name, {0, std::string(32, '0')}});
  const std::string text = manifest_text(manifest);
  EXPECT_NE(text.find("\"version\": 4,"), std::string::npos);
  try {
    const Manifest back = parse_manifest(text);
    EXPECT_EQ(back.banks.size(), manifest.banks.size());
    EXPECT_EQ(back.banks.back().name, manifest.banks.back().name);
    EXPECT_NE(back.bank_named("items"), nullptr);
    EXPECT_EQ(back.bank_named("verbs"), nullptr);
    EXPECT_THROW(back.bank(), SnapshotError);
    return "";
  } catch (const SnapshotError& error) {
    return error.what();
  }
}

TEST(NamedBanks, AreToldApartByTheirManifest) {
  EXPECT_EQ(refusal_of_manifest([](Manifest&) {}), "");
  EXPECT_NE(refusal_of_manifest([](Manifest& one) { one.banks[1].name = "items"; }).find("one name"),
            std::string::npos);
  EXPECT_NE(refusal_of_manifest([](Manifest& one) { one.banks[1].name = ""; }).find("one name"), std::string::npos);
  for (const char* name : {"../words", "Words", "a.b", "words/", "w\n", "a name that is longer than any should be"}) {
    EXPECT_NE(refusal_of_manifest([&](Manifest& one) { one.banks[1].name = name; }).find("impossible name"),
              std::string::npos)
        << name;
  }
}

}  // namespace
}  // namespace negatron::testing
