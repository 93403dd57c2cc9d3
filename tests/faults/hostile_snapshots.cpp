#include "tests/faults/hostile_snapshots.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>

#include "runtime/matrices/write_npy.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"
#include "runtime/snapshots/manifest.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/trainer_file.h"
#include "tests/faults/hostile_manifest.h"
#include "tests/faults/hostile_shard.h"
#include "tests/runtime/data/mutated_file.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using Random = HostileSnapshots::Random;

constexpr std::int64_t kSteps = 8;
constexpr int kShards = 2;
constexpr std::int64_t kMatrixRows = 24;
constexpr std::int64_t kMatrixWidth = 5;
constexpr int kLongTextBytes = 1 << 20;
/// Sparse: it takes no room.
constexpr std::uintmax_t kHugeBytes = std::uintmax_t{1} << 40U;

std::size_t below(Random& random, std::size_t count) {
  return static_cast<std::size_t>(random()) % count;
}

std::vector<std::uint8_t> bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes_to(const fs::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// One of the files of the snapshot but its manifest.
fs::path any_data_file(const fs::path& snapshot, Random& random) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(snapshot)) {
    if (entry.path().filename() != kManifestName) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths[below(random, paths.size())];
}

/// A few bytes anywhere in a file, or in its last part, where HDF5 keeps what was written last.
void damage(const fs::path& path, Random& random) {
  constexpr std::size_t kTail = 4096;
  std::vector<std::uint8_t> bytes = bytes_of(path);
  if (below(random, 2) == 0) {
    write_bytes_to(path, mutated(bytes, random));
    return;
  }
  const std::size_t reach = std::min(bytes.size(), kTail);
  for (std::size_t edits = 1 + below(random, 3); edits > 0; --edits) {
    const bool extreme = below(random, 2) == 0;
    bytes[bytes.size() - 1 - below(random, reach)] = extreme ? 0xFF : static_cast<std::uint8_t>(random());
  }
  write_bytes_to(path, bytes);
}

/// What a trainer never has, written in order.
void write_odd_state(const fs::path& path, Random& random) {
  PosixFileLayer files;
  TrainerState state = SmallRun{}.state(kSteps);
  const double reals[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0, 0.0,
                          1e300};
  const std::int64_t counts[] = {-1, 0, std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::min()};
  for (auto& [name, number] : state.numbers) {
    if (below(random, 2) == 0) continue;
    if (below(random, 2) == 0) {
      number = reals[below(random, std::size(reals))];
    } else {
      number = counts[below(random, std::size(counts))];
    }
  }
  for (auto& [name, text] : state.text) {
    if (below(random, 2) == 0) text = std::string("\x1b[2J\xff\n") + std::string(kLongTextBytes, 'x');
  }
  for (auto& [name, tensor] : state.tensors) {
    const std::size_t change = below(random, 4);
    if (change == 0) tensor = at::zeros({0, 3}, at::kFloat);
    if (change == 1) tensor = at::full({2}, -1, at::kLong);
    if (change == 2) tensor = at::full({1, 1, 1, 1, 1, 1}, std::numeric_limits<float>::quiet_NaN());
  }
  if (below(random, 3) == 0) state.tensors.emplace_back("\x1b]0;title\x07", at::ones({1}));
  fs::remove(path);
  write_trainer_file(files, path, state, {});
}

/// Another thing under the name of a file.
void replace(const fs::path& path, const fs::path& outside, Random& random) {
  const fs::path other = path.parent_path() / "other";
  fs::rename(path, other);
  switch (below(random, 7)) {
    case 0:
      fs::create_symlink(outside / "file", path);
      break;
    case 1:
      fs::create_symlink(path.filename(), path);
      break;
    case 2:
      fs::create_symlink(outside / "missing", path);
      break;
    case 3:
      ::mkfifo(path.c_str(), 0600);
      break;
    case 4:
      fs::create_directory(path);
      break;
    case 5:
      fs::create_symlink("/dev/zero", path);
      break;
    default:
      fs::copy_file(other, path);
      fs::resize_file(path, kHugeBytes);
  }
}

/// All banks of the run hold the same rows.
void save_banks(const HostileRun& run, FileLayer& files, const fs::path& directory) {
  SmallRun small;
  small.kind = run.kind;
  run_ranks(kShards, CommunicatorOptions{}, [&](Communicator& comm) {
    std::vector<std::unique_ptr<Bank>> banks;
    std::vector<NamedBank> named;
    for (const std::string& name : run.banks) {
      banks.push_back(std::make_unique<Bank>(small.bank(comm.rank(), comm.size())));
      small.train(*banks.back(), 0, kSteps);
      named.push_back({banks.back().get(), name});
    }
    SnapshotStore store(files, directory, {});
    store.start_save(comm, kSteps, small.state(kSteps), named);
    store.finish(comm);
  });
}

}  // namespace

std::string HostileRun::name() const {
  return (banks.size() > 1 ? "two " : "") + kind_text(kind);
}

const std::vector<HostileRun>& hostile_runs() {
  static const std::vector<HostileRun> runs = {{BankKind::kQueue},      {BankKind::kMemory},
                                               {BankKind::kLearned},    {BankKind::kIndex},
                                               {BankKind::kParametric}, {BankKind::kMemory, {"view-b", "view-a"}}};
  return runs;
}

HostileSnapshots::HostileSnapshots(const fs::path& directory) : directory_(directory) {
  PosixFileLayer files;
  for (const HostileRun& run : hostile_runs()) fs::create_directories(directory / run.name());
  fs::create_directories(directory / "outside");
  std::ofstream(directory / "outside" / "file") << "not of this run";
  for (const HostileRun& run : hostile_runs()) save_banks(run, files, directory / run.name());
  at::Tensor rows = at::arange(kMatrixRows * kMatrixWidth, at::kFloat).reshape({kMatrixRows, kMatrixWidth}) + 1.0;
  rows = (rows / rows.norm(2, 1, true)).contiguous();
  write_npy(files, directory / "rows.npy", at::kFloat, {kMatrixRows, kMatrixWidth}, bytes_of_tensor(rows));
  Hdf5Layout plan;
  plan.datasets.push_back({"rows", at::kFloat, {kMatrixRows, kMatrixWidth}, false, bytes_of_tensor(rows)});
  write_hdf5(files, directory / "rows.h5", plan, {});
}

const std::vector<std::string>& HostileSnapshots::kinds() {
  static const std::vector<std::string> all = {"raw",      "hdf5",  "trainer", "manifest",
                                               "replaced", "shard", ".npy",    "import"};
  return all;
}

bool HostileSnapshots::is_matrix(const std::string& kind) {
  return kind == ".npy" || kind == "import";
}

fs::path HostileSnapshots::whole(const HostileRun& run) const {
  return directory_ / run.name() / "snapshots" / step_name(kSteps);
}

fs::path HostileSnapshots::make(const std::string& kind, const HostileRun& run, const fs::path& target,
                                Random& random) const {
  if (is_matrix(kind)) {
    fs::create_directories(target);
    const fs::path file = target / (kind == ".npy" ? "rows.npy" : "rows.h5");
    fs::copy_file(directory_ / file.filename(), file);
    damage(file, random);
    return file;
  }
  fs::copy(directory_ / run.name(), target, fs::copy_options::recursive);
  fs::path snapshot = target / "snapshots" / step_name(kSteps);
  if (kind == "raw") {
    damage(below(random, 4) == 0 ? snapshot / kManifestName : any_data_file(snapshot, random), random);
  } else if (kind == "hdf5") {
    const bool trainer = below(random, 2) == 0;
    damage(trainer ? snapshot / kTrainerName : any_data_file(snapshot, random), random);
    renew_digests(snapshot);
  } else if (kind == "trainer") {
    write_odd_state(snapshot / kTrainerName, random);
    renew_digests(snapshot);
  } else if (kind == "shard") {
    write_odd_shard(snapshot, random);
  } else if (kind == "manifest") {
    make_hostile_manifest(snapshot, random);
  } else {
    replace(below(random, 4) == 0 ? snapshot / kManifestName : any_data_file(snapshot, random), directory_ / "outside",
            random);
  }
  return snapshot;
}

}  // namespace negatron::testing
