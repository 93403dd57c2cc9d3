#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/weights/pickle_bytes.h"

namespace negatron {

/// What a pickle holds. Values belong to the Pickle that read them.
struct PickleValue {
  enum class Kind {
    kOther,   ///< anything that has no meaning here: None, floats, objects of unknown classes
    kNumber,  ///< whole numbers, and booleans as 0 and 1
    kText,
    kList,     ///< lists, tuples and sets
    kDict,     ///< keys and values in turns in `items`
    kGlobal,   ///< a function or class, "module.name" in `text`
    kStorage,  ///< values that lie elsewhere: their key in `text`, how many in `number`, their type in `dtype`
    kTensor
  };
  Kind kind = Kind::kOther;
  std::int64_t number = 0;
  std::string text{};
  std::vector<PickleValue*> items{};
  at::ScalarType dtype = at::kFloat;
  at::Tensor tensor{};

  /// The value of a dict under that name; null without.
  const PickleValue* find(std::string_view name) const;
};

/// Reads the pickles of torch.save without running anything: functions and classes are names, and what calling them
/// would give is asked of the caller. LibTorch's own unpickler makes None of a state dict, which carries attributes.
class Pickle {
 public:
  /// What a call would give. The answer's kind is kOther where the function means nothing.
  using Call = std::function<PickleValue(const std::string& function, const std::vector<PickleValue*>& arguments)>;
  /// What an object means that the pickle only points to.
  using Elsewhere = std::function<PickleValue(const PickleValue& pointer)>;

  /// Reads all of it. Local. Throws PickleError, and what the functions throw.
  Pickle(std::string_view bytes, Call call, Elsewhere elsewhere);

  const PickleValue& whole() const { return *whole_; }

 private:
  void read();
  void read_scalar(unsigned char code);
  void read_container(unsigned char code);
  void read_object(unsigned char code);
  void read_memo(unsigned char code);

  PickleValue* make(PickleValue value);
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }
  PickleValue* pop();
  PickleValue* top();
  /// What lies above the last mark, which goes.
  std::vector<PickleValue*> pop_to_mark();
  void call();

  PickleBytes bytes_;
  Call call_;
  Elsewhere elsewhere_;
  /// Of all values: what refers to others owns nothing, so that depth costs no stack.
  std::deque<PickleValue> values_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue*> memo_;
  const PickleValue* whole_ = nullptr;
};

}  // namespace negatron
