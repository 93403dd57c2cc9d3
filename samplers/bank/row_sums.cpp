#include "samplers/bank/row_sums.h"

#include <algorithm>
#include <type_traits>

#include <ATen/Dispatch.h>

#include "comm/queued_copy.h"
#include "samplers/cpu/task_threads.h"

namespace negatron {
namespace {

/// Rows that a thread takes at a time: of 128 fp32 numbers 128 KiB.
constexpr std::int64_t kRowsOfATask = 256;

at::Tensor on_device_of(const StackedRows& rows, const std::vector<std::int64_t>& numbers) {
  return queued_copy(at::tensor(numbers, at::kLong), rows.first.device());
}

/// Where a place's row begins.
template <typename Number>
class StackedPointers {
 public:
  StackedPointers(const at::Tensor& first, const at::Tensor& second)
      : first_(first.const_data_ptr<Number>()),
        second_(second.const_data_ptr<Number>()),
        rows_of_first_(first.size(0)),
        width_(first.size(1)) {}

  const Number* operator[](std::int64_t place) const {
    return place < rows_of_first_ ? first_ + place * width_ : second_ + (place - rows_of_first_) * width_;
  }

 private:
  const Number* first_;
  const Number* second_;
  std::int64_t rows_of_first_;
  std::int64_t width_;
};

/// Calls work(row) for each of `count` rows.
template <typename Work>
void for_each_row(std::int64_t count, const Work& work) {
  share_out((count + kRowsOfATask - 1) / kRowsOfATask, [&](std::int64_t task) {
    const std::int64_t begin = task * kRowsOfATask;
    for (std::int64_t row = begin; row < std::min(begin + kRowsOfATask, count); ++row) work(row);
  });
}

template <typename From, typename To>
void convert(const From* from, To* to, std::int64_t width) {
  if constexpr (std::is_same_v<From, To>) {
    std::copy_n(from, width, to);
  } else {
    // What is narrower than fp32 is made of fp32.
    using Wide = std::conditional_t<std::is_same_v<To, double>, double, float>;
    for (std::int64_t i = 0; i < width; ++i) to[i] = static_cast<To>(static_cast<Wide>(from[i]));
  }
}

}  // namespace

at::Tensor gather_stacked(const StackedRows& rows, const std::vector<std::int64_t>& places, at::ScalarType type) {
  const auto count = static_cast<std::int64_t>(places.size());
  if (!rows.first.is_cpu()) return gather_by_index(rows, places, type);
  const std::int64_t width = rows.first.size(1);
  const at::Tensor gathered = at::empty({count, width}, rows.first.options().dtype(type));
  const at::Tensor first = rows.first.contiguous();
  const at::Tensor second = rows.second.contiguous();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, first.scalar_type(), "gather_stacked", [&] {
    const StackedPointers<scalar_t> from(first, second);
    AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, type, "gather_stacked", [&] {
      auto* to = gathered.mutable_data_ptr<scalar_t>();
      for_each_row(count, [&](std::int64_t row) {
        convert(from[places[static_cast<std::size_t>(row)]], to + row * width, width);
      });
    });
  });
  return gathered;
}

// Example: two rows a, b and behind them c, terms 0 | 2, 1, so begins are 0, 1, 3: the sums are a and c + b. Threads
// divide the sums, not the terms of one, so nothing depends on how many threads there are.
at::Tensor sum_stacked(const StackedRows& rows, const RowTerms& terms) {
  if (!rows.first.is_cpu()) return sum_by_index(rows, terms);
  const std::int64_t width = rows.first.size(1);
  const at::Tensor sums = at::empty({terms.size(), width}, rows.first.options());
  const at::Tensor first = rows.first.contiguous();
  const at::Tensor second = rows.second.contiguous();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, sums.scalar_type(), "sum_stacked", [&] {
    const StackedPointers<scalar_t> from(first, second);
    auto* to = sums.mutable_data_ptr<scalar_t>();
    for_each_row(terms.size(), [&](std::int64_t row) {
      const std::int64_t* place = terms.places.data() + terms.begins[static_cast<std::size_t>(row)];
      const std::int64_t* end = terms.places.data() + terms.begins[static_cast<std::size_t>(row) + 1];
      scalar_t* sum = to + row * width;
      std::copy_n(from[*place], width, sum);
      while (++place < end) {
        const scalar_t* term = from[*place];
        for (std::int64_t i = 0; i < width; ++i) sum[i] += term[i];
      }
    });
  });
  return sums;
}

at::Tensor gather_by_index(const StackedRows& rows, const std::vector<std::int64_t>& places, at::ScalarType type) {
  // The shard itself stands in one of both, mostly: it is not copied to be put behind the other.
  const std::int64_t of_first = rows.first.size(0);
  if (rows.second.size(0) == 0) return rows.first.index_select(0, on_device_of(rows, places)).to(type);
  if (of_first == 0) return rows.second.index_select(0, on_device_of(rows, places)).to(type);
  std::vector<std::int64_t> entries[2];
  std::vector<std::int64_t> numbers[2];
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool in_second = places[i] >= of_first;
    entries[in_second].push_back(static_cast<std::int64_t>(i));
    numbers[in_second].push_back(in_second ? places[i] - of_first : places[i]);
  }
  const at::Tensor gathered =
      at::empty({static_cast<std::int64_t>(places.size()), rows.first.size(1)}, rows.first.options().dtype(type));
  const auto copy = [&](const at::Tensor& from, std::size_t part) {
    gathered.index_copy_(0, on_device_of(rows, entries[part]),
                         from.index_select(0, on_device_of(rows, numbers[part])).to(type));
  };
  copy(rows.first, 0);
  copy(rows.second, 1);
  return gathered;
}

at::Tensor sum_by_index(const StackedRows& rows, const RowTerms& terms) {
  std::vector<std::int64_t> sum_of_term;
  for (std::int64_t sum = 0; sum < terms.size(); ++sum) {
    sum_of_term.resize(static_cast<std::size_t>(terms.begins[static_cast<std::size_t>(sum) + 1]), sum);
  }
  const at::Tensor sums = at::zeros({terms.size(), rows.first.size(1)}, rows.first.options());
  add_in_order(sums, on_device_of(rows, sum_of_term), gather_by_index(rows, terms.places, sums.scalar_type()));
  return sums;
}

void add_in_order(const at::Tensor& sums, const at::Tensor& rows, const at::Tensor& values) {
  if (sums.is_cpu()) {
    sums.index_add_(0, rows, values);
  } else {
    // Sorted by row first, so that no two threads add to the same one.
    sums.index_put_({rows}, values, /*accumulate=*/true);
  }
}

}  // namespace negatron
