#include "runtime/snapshots/plain_json.h"

#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/snapshots/snapshot_error.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// Hears what a parser meets, in order; no tree is built. Every function answers whether to go on.
class Listener : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Listener(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { refuse("a null"); }
  bool boolean(bool) override { refuse("a truth value"); }
  bool number_integer(std::int64_t) override { return count(); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) refuse("a number beyond 64 bits");
    return count();
  }
  bool number_float(double, const std::string&) override { refuse("a number that is not whole"); }
  bool string(std::string& text) override { return fits(text); }
  bool binary(nlohmann::json::binary_t&) override { refuse("bytes"); }
  bool start_object(std::size_t) override { return begin(); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return begin(); }
  bool end_array() override { return end(); }
  bool key(std::string& name) override { return fits(name); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw SnapshotError("it is no JSON from byte " + std::to_string(position) + " on");
  }

 private:
  [[noreturn]] static void refuse(const std::string& what) {
    throw SnapshotError("it holds " + what + ", which it should not");
  }
  bool count() {
    if (++values_ > limits_.values) throw SnapshotError("it holds more values than such a file can");
    return true;
  }
  bool fits(const std::string& text) {
    if (text.size() > limits_.string_bytes) throw SnapshotError("it holds the text '" + shown_text(text) + "'");
    return count();
  }
  bool begin() {
    if (++depth_ > limits_.depth) throw SnapshotError("its lists lie too deep in each other");
    if (++containers_ > limits_.containers) throw SnapshotError("it holds more lists than such a file can");
    return count();
  }
  bool end() {
    --depth_;
    return true;
  }

  JsonLimits limits_;
  std::int64_t values_ = 0;
  std::int64_t containers_ = 0;
  int depth_ = 0;
};

}  // namespace

void check_plain_json(std::string_view text, const JsonLimits& limits) {
  Listener listener(limits);
  nlohmann::json::sax_parse(text.begin(), text.end(), &listener);
}

}  // namespace negatron
