#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "samplers/options/nearest_name.h"

namespace negatron {

/// The methods of one kind by their names: samplers, objectives. A `Description` has a member `name`; a method has a
/// static describe() and a constructor that takes `Arguments`. Local.
template <typename Method, typename Description, typename Arguments>
class MethodRegistry {
 public:
  /// Of the methods named, in the order of the list. `kind` is the word of flags and messages: "sampler" for --sampler
  /// and --list-samplers.
  template <typename... Methods>
  static MethodRegistry of(std::string kind) {
    return MethodRegistry(std::move(kind), {entry<Methods>()...});
  }

  const std::vector<Description>& descriptions() const { return descriptions_; }
  /// describe() and make() throw std::invalid_argument for an unknown name, with the nearest known one.
  const Description& describe(const std::string& name) const { return find(name).description; }
  std::unique_ptr<Method> make(const std::string& name, const Arguments& arguments) const {
    return find(name).make(arguments);
  }

 private:
  struct Entry {
    Description description;
    std::unique_ptr<Method> (*make)(const Arguments& arguments);
  };

  template <typename One>
  static Entry entry() {
    return {One::describe(),
            [](const Arguments& arguments) -> std::unique_ptr<Method> { return std::make_unique<One>(arguments); }};
  }

  MethodRegistry(std::string kind, std::vector<Entry> entries) : kind_(std::move(kind)), entries_(std::move(entries)) {
    for (const Entry& entry : entries_) descriptions_.push_back(entry.description);
  }

  const Entry& find(const std::string& name) const {
    std::vector<std::string> known;
    for (const Entry& entry : entries_) {
      if (entry.description.name == name) return entry;
      known.push_back(entry.description.name);
    }
    const std::optional<std::string> near = nearest_name(name, known);
    throw std::invalid_argument("--" + kind_ + ": unknown " + kind_ + " '" + name + "'" +
                                (near ? ", did you mean " + *near + "?" : ".") + " --list-" + kind_ + "s shows all.");
  }

  std::string kind_;
  std::vector<Entry> entries_;
  std::vector<Description> descriptions_;
};

}  // namespace negatron
