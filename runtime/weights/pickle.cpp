#include "runtime/weights/pickle.h"

#include "runtime/weights/pickle_codes.h"

namespace negatron {
namespace {

using Kind = PickleValue::Kind;

using namespace pickle_code;

constexpr std::size_t kMostRemembered = std::size_t{1} << 24;

}  // namespace

const PickleValue* PickleValue::find(std::string_view name) const {
  if (kind != Kind::kDict) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kText && items[i]->text == name) return items[i + 1];
  }
  return nullptr;
}

Pickle::Pickle(std::string_view bytes, Call call, Elsewhere elsewhere)
    : bytes_(bytes), call_(std::move(call)), elsewhere_(std::move(elsewhere)) {
  read();
}

void Pickle::read() {
  while (true) {
    const auto code = static_cast<unsigned char>(bytes_.take(1).front());
    switch (code) {
      case kStop:
        whole_ = pop();
        return;
      case kProtocol:
        bytes_.take(1);
        break;
      case kFrame:
        bytes_.take(8);
        break;
      case kMark:
        marks_.push_back(stack_.size());
        break;
      case kPop:
        pop();
        break;
      case kPopMark:
        pop_to_mark();
        break;
      case kNone:
      case kTrue:
      case kFalse:
      case kBinFloat:
      case kBinInt:
      case kBinInt1:
      case kBinInt2:
      case kLong1:
      case kBinString:
      case kShortBinString:
      case kBinUnicode:
      case kShortBinUnicode:
      case kBinUnicode8:
      case kBinBytes:
      case kShortBinBytes:
        read_scalar(code);
        break;
      case kGlobalName:
      case kStackGlobal:
      case kReduce:
      case kNewObject:
      case kBuild:
      case kBinPersistent:
        read_object(code);
        break;
      case kBinPut:
      case kLongBinPut:
      case kMemoize:
      case kBinGet:
      case kLongBinGet:
        read_memo(code);
        break;
      default:
        read_container(code);
    }
  }
}

void Pickle::read_scalar(unsigned char code) {
  const auto number = [this](std::int64_t value) { push({.kind = Kind::kNumber, .number = value}); };
  const auto text = [this](std::size_t length_bytes) {
    push({.kind = Kind::kText, .text = std::string(bytes_.take(bytes_.take_number(length_bytes)))});
  };
  switch (code) {
    case kNone:
      return push({});
    case kTrue:
      return number(1);
    case kFalse:
      return number(0);
    case kBinFloat:
      bytes_.take(8);
      return push({});
    case kBinInt:
      return number(static_cast<std::int32_t>(bytes_.take_number(4)));
    case kBinInt1:
      return number(static_cast<std::int64_t>(bytes_.take_number(1)));
    case kBinInt2:
      return number(static_cast<std::int64_t>(bytes_.take_number(2)));
    case kLong1: {
      const std::uint64_t bytes = bytes_.take_number(1);
      // Longer ones are no sizes of tensors.
      if (bytes > 8) {
        bytes_.take(bytes);
        return push({});
      }
      const std::uint64_t value = bytes_.take_number(bytes);
      const bool negative = bytes > 0 && (value >> (8 * bytes - 1)) != 0;
      const std::uint64_t sign = negative && bytes < 8 ? ~std::uint64_t{0} << (8 * bytes) : 0;
      return number(static_cast<std::int64_t>(value | sign));
    }
    case kShortBinString:
    case kShortBinUnicode:
    case kShortBinBytes:
      return text(1);
    case kBinUnicode8:
      return text(8);
    default:
      return text(4);
  }
}

void Pickle::read_container(unsigned char code) {
  const auto list = [this](std::vector<PickleValue*> items) { push({.kind = Kind::kList, .items = std::move(items)}); };
  const auto extend = [this](const std::vector<PickleValue*>& items) {
    std::vector<PickleValue*>& all = top()->items;
    all.insert(all.end(), items.begin(), items.end());
  };
  switch (code) {
    case kEmptyDict:
      return push({.kind = Kind::kDict});
    case kEmptyList:
    case kEmptyTuple:
    case kEmptySet:
      return list({});
    case kTuple:
      return list(pop_to_mark());
    case kTuple1:
    case kTuple2:
    case kTuple3: {
      std::vector<PickleValue*> items(code - kTuple1 + 1U);
      for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
      return list(items);
    }
    case kAppend: {
      PickleValue* const item = pop();
      return extend({item});
    }
    case kSetItem: {
      PickleValue* const value = pop();
      PickleValue* const key = pop();
      return extend({key, value});
    }
    case kAppends:
    case kAddItems:
    case kSetItems:
      return extend(pop_to_mark());
    default:
      throw PickleError("its pickle has the unknown code " + std::to_string(static_cast<int>(code)));
  }
}

void Pickle::read_object(unsigned char code) {
  switch (code) {
    case kGlobalName: {
      const std::string module = bytes_.take_line();
      return push({.kind = Kind::kGlobal, .text = module + "." + bytes_.take_line()});
    }
    case kStackGlobal: {
      const PickleValue* const name = pop();
      return push({.kind = Kind::kGlobal, .text = pop()->text + "." + name->text});
    }
    case kBuild:
      // Attributes of an object: a state dict has some, which say nothing of its tensors.
      pop();
      return;
    case kBinPersistent:
      return push(elsewhere_(*pop()));
    default:
      return call();
  }
}

void Pickle::call() {
  const PickleValue* const arguments = pop();
  const PickleValue* const function = pop();
  push(function->kind == Kind::kGlobal ? call_(function->text, arguments->items) : PickleValue{});
}

void Pickle::read_memo(unsigned char code) {
  const std::uint64_t place =
      code == kMemoize ? memo_.size() : bytes_.take_number(code == kBinPut || code == kBinGet ? 1 : 4);
  if (code == kBinGet || code == kLongBinGet) {
    if (place >= memo_.size() || memo_[place] == nullptr) throw PickleError("its pickle refers to what is not there");
    return stack_.push_back(memo_[place]);
  }
  if (place >= kMostRemembered) throw PickleError("its pickle is too large");
  if (place >= memo_.size()) memo_.resize(place + 1, nullptr);
  memo_[place] = top();
}

PickleValue* Pickle::make(PickleValue value) {
  return &values_.emplace_back(std::move(value));
}

PickleValue* Pickle::pop() {
  PickleValue* const value = top();
  stack_.pop_back();
  return value;
}

PickleValue* Pickle::top() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) throw PickleError("its pickle takes what is not there");
  return stack_.back();
}

std::vector<PickleValue*> Pickle::pop_to_mark() {
  if (marks_.empty()) throw PickleError("its pickle takes what is not there");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  const std::vector<PickleValue*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

}  // namespace negatron
