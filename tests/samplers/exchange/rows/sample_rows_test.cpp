#include "samplers/exchange/rows/sample_rows.h"

#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "samplers/bank/row_geometry.h"
#include "samplers/contrast/bank_mesh.h"
#include "tests/reference/plain_memory.h"

namespace negatron {
namespace {

constexpr std::int64_t kSamplesThere = 29;
constexpr std::int64_t kSampleWidth = 4;
constexpr std::uint64_t kSampleSeed = 6;
constexpr std::int64_t kSampleBatch = 7;
constexpr double kSampleMomentum = 0.5;

/// Sample 3 of the third step is there twice, as after a broken image.
at::Tensor ids_of(std::int64_t step) {
  const at::Tensor ids = (at::arange(kSampleBatch, at::kLong) * 11 + 5 * step).remainder(kSamplesThere);
  if (step == 2) ids[6].copy_(ids[1]);
  return ids;
}

at::Tensor features_of(std::int64_t step) {
  const at::Tensor rows =
      at::sin(at::arange(kSampleBatch * kSampleWidth, at::kDouble).view({kSampleBatch, kSampleWidth}) *
              (1.3 + 0.1 * static_cast<double>(step)));
  return rows / rows.norm(2, {1}, true);
}

at::Tensor own_part(const Communicator& comm, const at::Tensor& all) {
  const Range own = share(all.size(0), comm.size(), comm.rank());
  return all.narrow(0, own.begin, own.size()).contiguous();
}

std::int64_t bytes_came(const Communicator& comm) {
  std::int64_t bytes = 0;
  for (const auto& [name, traffic] : comm.traffic().step()) bytes += traffic.bytes_received;
  return bytes;
}

void expect_equal_to_plain(int ranks, int shards, RowLength length = RowLength::kUnit) {
  run_ranks(ranks, {.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    BankMesh mesh(comm, shards);
    Communicator& group = mesh.group();
    const std::int64_t width = row_width(length, kSampleWidth);
    Bank bank({kSamplesThere, width, at::kDouble, at::kCPU, BankFill::kRandom, kSampleSeed, kSampleBatch,
               BankKind::kMemory, length},
              group.rank(), group.size());
    testing::PlainMemory plain = testing::PlainMemory::start(kSamplesThere, kSampleWidth, kSampleSeed);
    plain.is_raw = length != RowLength::kUnit;
    // Of distances the plain one has vectors, and their rows are what is stored.
    const auto stored = [&](const at::Tensor& vectors) { return rows_of_vectors(vectors, length); };
    const auto made = [&](std::int64_t step) {
      const at::Tensor size = 0.1 + 4.9 * at::arange(kSampleBatch, at::kDouble).remainder(4) / 3.0;
      return plain.is_raw ? features_of(step) * size.unsqueeze(1) : features_of(step);
    };
    const Range mine = share(kSamplesThere, group.size(), group.rank());
    for (std::int64_t step = 0; step < 6; ++step) {
      const at::Tensor ids = ids_of(step);
      const SampleRows own_rows(comm, group, bank, ids);
      group.traffic().start_step();
      EXPECT_TRUE(
          at::allclose(own_rows.fetch(), own_part(comm, stored(plain.rows.index_select(0, ids))), 1e-14, 1e-14));
      const at::Tensor owners = bank.layout().places_of(own_part(comm, ids)).ranks;
      const auto elsewhere = (owners != group.rank()).sum().item<std::int64_t>();
      EXPECT_EQ(bytes_came(group), elsewhere * width * 8);

      comm.traffic().start_step();
      own_rows.blend(own_part(comm, made(step)), own_part(comm, ids.remainder(3)), kSampleMomentum, step);
      const at::Tensor is_mine = (ids >= mine.begin) & (ids < mine.end);
      const auto made_here = own_part(comm, is_mine).sum().item<std::int64_t>();
      EXPECT_EQ(bytes_came(comm), (is_mine.sum().item<std::int64_t>() - made_here) * (kSampleWidth * 8 + 8));
      plain.blend(ids, made(step), ids.remainder(3), kSampleMomentum, step);
      const auto shard_of = [&](const at::Tensor& all) { return all.slice(0, mine.begin, mine.end); };
      EXPECT_TRUE(at::allclose(bank.shard().rows.vectors, shard_of(stored(plain.rows)), 1e-14, 1e-14))
          << "step " << step;
      EXPECT_TRUE(at::equal(bank.shard().rows.labels, shard_of(plain.labels)));
      EXPECT_TRUE(at::equal(bank.shard().steps, shard_of(plain.steps)));
    }
  });
}

TEST(SampleRows, AreThoseOfAPlainMemory) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    expect_equal_to_plain(ranks, ranks);
    expect_equal_to_plain(ranks, ranks, RowLength::kAsMade);
    expect_equal_to_plain(ranks, ranks, RowLength::kDistance);
  }
  // More ranks than some batches have samples for, and several copies.
  expect_equal_to_plain(9, 9);
  expect_equal_to_plain(4, 2);
  expect_equal_to_plain(3, 1);
}

TEST(SampleRows, LabelsMayBeMissing) {
  run_ranks(2, {.check = true}, [&](Communicator& comm) {
    Bank bank({kSamplesThere, kSampleWidth, at::kFloat, at::kCPU, BankFill::kRandom, kSampleSeed, kSampleBatch,
               BankKind::kMemory},
              comm.rank(), comm.size());
    const SampleRows own_rows(comm, comm, bank, ids_of(0));
    own_rows.blend(own_part(comm, features_of(0)), {}, kSampleMomentum, 0);
    EXPECT_TRUE((bank.shard().rows.labels == -1).all().item<bool>());
    EXPECT_GT(bank.written().count, 0);
  });
}

TEST(SampleRows, RefusesASampleWithoutARow) {
  run_ranks(1, {}, [&](Communicator& comm) {
    Bank bank({kSamplesThere, kSampleWidth, at::kFloat, at::kCPU, BankFill::kRandom, kSampleSeed, kSampleBatch,
               BankKind::kMemory},
              0, 1);
    EXPECT_THROW(SampleRows(comm, comm, bank, at::arange(1, kSamplesThere + 1, at::kLong)), std::invalid_argument);
    EXPECT_THROW(SampleRows(comm, comm, bank, at::full({1}, -1, at::kLong)), std::invalid_argument);
  });
}

TEST(Blended, KeepsUnitLengthAndTheShareOfTheRow) {
  const at::Tensor rows = at::tensor({1.0, 0.0, 0.0, 1.0, 1.0, 0.0}, at::kDouble).view({3, 2});
  const at::Tensor features = at::tensor({0.0, 1.0, 0.0, 1.0, -1.0, 0.0}, at::kDouble).view({3, 2});
  const at::Tensor half = blended(rows, features, 0.5, RowLength::kUnit);
  const double diagonal = std::sqrt(0.5);
  // The last row and its feature cancel each other.
  EXPECT_TRUE(at::allclose(half, at::tensor({diagonal, diagonal, 0.0, 1.0, -1.0, 0.0}, at::kDouble).view({3, 2})));
  EXPECT_TRUE(at::equal(blended(rows, features, 1.0, RowLength::kUnit), rows));
  EXPECT_TRUE(at::equal(blended(rows, features, 0.0, RowLength::kUnit), features));
  EXPECT_EQ(blended(rows.to(at::kBFloat16), features.to(at::kFloat), 0.5, RowLength::kUnit).scalar_type(), at::kFloat);
  // Raw rows keep the length that the mean comes to, none included.
  const at::Tensor raw = blended(rows, features, 0.5, RowLength::kAsMade);
  EXPECT_TRUE(at::equal(raw, at::tensor({0.5, 0.5, 0.0, 1.0, 0.0, 0.0}, at::kDouble).view({3, 2})));
}

}  // namespace
}  // namespace negatron
