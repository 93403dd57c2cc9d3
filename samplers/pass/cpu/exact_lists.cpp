#include "samplers/pass/cpu/exact_lists.h"

#include <algorithm>
#include <bit>

#include "comm/share.h"
#include "samplers/cpu/task_threads.h"
#include "samplers/pass/selection/packed_key.h"

namespace negatron {
namespace {

/// Of a slice of rows in fp32.
constexpr std::int64_t kSliceBytes = std::int64_t{512} << 10;

/// Slices of 2^bits rows.
struct Slices {
  int bits;
  std::int64_t count;

  Slices(std::int64_t rows, std::int64_t width) {
    // A power of two, so that the slice of a row is a shift. d = 128: 1024 rows a slice, so 65,536 rows are 64 slices.
    const std::int64_t most = std::max<std::int64_t>(kSliceBytes / (width * std::int64_t{sizeof(float)}), 1);
    bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most))) - 1;
    count = ((rows - 1) >> bits) + 1;
  }
  std::int64_t rows() const { return std::int64_t{1} << bits; }
};

/// Writes where each slice begins in ascending rows, and the end of the last: [slices + 1], `stride` apart.
void cut(const std::vector<std::int32_t>& rows, const Slices& slices, std::int64_t stride, std::int32_t* cuts) {
  // With slices of 1024 rows, of which there are 5, the list 5, 1023, 1024, 5000 is cut at 0, 2, 3, 3, 3, 4: slice 0
  // holds its entries 0 and 1, slice 1 entry 2, slices 2 and 3 none, and slice 4 entry 3.
  std::int64_t slice = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (; slice <= rows[i] >> slices.bits; ++slice) cuts[slice * stride] = static_cast<std::int32_t>(i);
  }
  for (; slice <= slices.count; ++slice) cuts[slice * stride] = static_cast<std::int32_t>(rows.size());
}

/// Asks for memory in a cache before it is read or written.
template <int kLevel>
void fetch_ahead(const void* first, std::int64_t bytes) {
  constexpr std::int64_t kCacheLine = 64;
  constexpr int kToRead = 0;
  for (std::int64_t b = 0; b < bytes; b += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(first) + b, kToRead, kLevel);
  }
}
constexpr int kFirstCache = 3, kSecondCache = 2;

/// Lists of a block of queries and where slices begin in them.
class CutLists {
 public:
  CutLists(std::span<ExactList> lists, const Slices& slices)
      : lists_(lists), cuts_(lists.size() * static_cast<std::size_t>(slices.count + 1)) {
    share_out(count(), [&](std::int64_t i) {
      ExactList& list = lists_[static_cast<std::size_t>(i)];
      cut(list.rows, slices, count(), cuts_.data() + i);
      // Made here, by the thread of the list: slices later write their own stretches of it, so no two threads meet.
      list.keys.resize(list.rows.size());
    });
  }

  std::int64_t count() const { return static_cast<std::int64_t>(lists_.size()); }
  std::span<const std::int32_t> rows(std::int64_t i, std::int64_t slice) const {
    const std::vector<std::int32_t>& rows = lists_[static_cast<std::size_t>(i)].rows;
    return std::span(rows).subspan(begin(i, slice), begin(i, slice + 1) - begin(i, slice));
  }
  std::int64_t* keys(std::int64_t i, std::int64_t slice) const {
    return lists_[static_cast<std::size_t>(i)].keys.data() + begin(i, slice);
  }
  std::int64_t pairs(std::int64_t slice) const {
    std::size_t pairs = 0;
    for (std::int64_t i = 0; i < count(); ++i) pairs += rows(i, slice).size();
    return static_cast<std::int64_t>(pairs);
  }
  /// Lists lie far from each other, and a slice needs little of each.
  void fetch(std::int64_t i, std::int64_t slice) const {
    if (i >= count()) return;
    const auto bytes = static_cast<std::int64_t>(rows(i, slice).size_bytes());
    fetch_ahead<kFirstCache>(rows(i, slice).data(), bytes);
    fetch_ahead<kFirstCache>(keys(i, slice), 2 * bytes);
  }

 private:
  std::size_t begin(std::int64_t i, std::int64_t slice) const {
    return static_cast<std::size_t>(cuts_[static_cast<std::size_t>(slice * count() + i)]);
  }

  std::span<ExactList> lists_;
  std::vector<std::int32_t> cuts_;  // [slices + 1][lists]
};

struct Slice {
  std::int64_t index;
  Range rows;
};

/// A slice's rows in fp32, all of them or only those that are listed.
const float* widen(const PassKernel& kernel, RowFormat format, const at::Tensor& rows, const Slice& slice,
                   const CutLists& lists) {
  const std::int64_t first = slice.rows.begin, count = slice.rows.size();
  const std::int64_t width = rows.size(1);
  const std::int64_t row_bytes = width * static_cast<std::int64_t>(rows.element_size());
  const char* from = static_cast<const char*>(rows.const_data_ptr()) + first * row_bytes;
  if (format == RowFormat::kFp32) return reinterpret_cast<const float*>(from);
  float* wide = thread_memory(count * width);
  // With more entries than rows it pays to widen the whole slice once. With fewer only rows that are listed are
  // widened; one that several queries list is then written more than once, with the same numbers.
  if (lists.pairs(slice.index) >= count) {
    fetch_ahead<kSecondCache>(from, count * row_bytes);
    kernel.widen(format, from, count * width, wide);
    return wide;
  }
  for (std::int64_t i = 0; i < lists.count(); ++i) {
    for (const std::int32_t row : lists.rows(i, slice.index)) {
      kernel.widen(format, from + (row - first) * row_bytes, width, wide + (row - first) * width);
    }
  }
  return wide;
}

}  // namespace

void key_lists(const PassKernel& kernel, RowFormat format, const at::Tensor& rows, const at::Tensor& slots,
               const double* queries, std::span<ExactList> lists) {
  constexpr std::int64_t kAhead = 3;
  const std::int64_t width = rows.size(1);
  const auto* slot = slots.const_data_ptr<std::int64_t>();
  const Slices slices(rows.size(0), width);
  const CutLists cut_lists(lists, slices);
  share_out(slices.count, [&](std::int64_t slice) {
    const std::int64_t first = slice << slices.bits;
    const std::int64_t count = std::min(slices.rows(), rows.size(0) - first);
    std::vector<double> scores(static_cast<std::size_t>(count));
    ExactScores exact;
    exact.rows = widen(kernel, format, rows, {slice, {first, first + count}}, cut_lists);
    exact.width = width;
    exact.first_row = first;
    exact.scores = scores.data();
    for (std::int64_t i = 0; i < cut_lists.count(); ++i) {
      cut_lists.fetch(i + kAhead, slice);
      const std::span<const std::int32_t> list = cut_lists.rows(i, slice);
      exact.query = queries + i * width;
      exact.list = list.data();
      exact.count = static_cast<std::int64_t>(list.size());
      kernel.exact_scores(exact);
      std::int64_t* const keys = cut_lists.keys(i, slice);
      for (std::size_t k = 0; k < list.size(); ++k) keys[k] = packed_key(static_cast<float>(scores[k]), slot[list[k]]);
    }
  });
}

}  // namespace negatron
