#include "launch/pretrain/method_list.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>

#include "samplers/negative_samplers/registry.h"
#include "samplers/objectives/registry.h"

namespace negatron {
namespace {

/// "    name=default   help (what is allowed)". What is allowed comes from where values are checked, so it cannot
/// differ.
void print_option(std::ostream& out, const MethodOption& option) {
  constexpr std::size_t kHelpColumn = 30;
  std::string line = "    " + option.name + "=" + text_of(option.default_value);
  line.resize(std::max(kHelpColumn, line.size() + 1), ' ');
  out << line << option.help;
  std::string allowed;
  for (const std::string& choice : option.choices) allowed += (allowed.empty() ? "" : " | ") + choice;
  if (option.choices.empty() && (std::isfinite(option.minimum) || std::isfinite(option.maximum))) {
    std::ostringstream bounds;
    if (std::isfinite(option.minimum)) bounds << ">= " << option.minimum;
    if (std::isfinite(option.maximum)) bounds << (std::isfinite(option.minimum) ? ", " : "") << "<= " << option.maximum;
    allowed = bounds.str();
  }
  if (!allowed.empty()) out << " (" << allowed << ")";
  out << "\n";
}

/// The names of items, between commas.
template <typename Item, typename Name>
std::string joined(const std::vector<Item>& items, Name name) {
  std::string text;
  for (const Item& item : items) text += (text.empty() ? "" : ", ") + std::string(name(item));
  return text;
}

template <typename Description>
void print_head(std::ostream& out, const Description& method) {
  out << "\n" << method.name << ": " << method.summary << "\n    [" << method.paper << "]\n";
}

/// Which vectors it takes, where it does not take all.
void print_length(std::ostream& out, bool takes_any, bool takes_distances, const char* where = "") {
  if (!takes_any) {
    out << "; --head-output unit";
  } else if (!takes_distances) {
    out << "; --head-output unit | raw" << where;
  }
}

void print_length(std::ostream& out, const SamplerDescription& sampler) {
  const MethodOptions defaults("--sampler " + sampler.name, sampler.options, "");
  print_length(out, sampler.why_unit_rows == nullptr,
               sampler.why_inner_products == nullptr || sampler.why_inner_products(defaults).empty());
}

void print_length(std::ostream& out, const ObjectiveDescription& objective) {
  const auto takes_distances = [&](NegativeSource source) { return why_inner_products(objective, source) == nullptr; };
  const std::vector<NegativeSource>& sources = objective.sources;
  const bool takes_all = std::all_of(sources.begin(), sources.end(), takes_distances);
  const bool takes_some = std::any_of(sources.begin(), sources.end(), takes_distances);
  print_length(out, objective.why_unit_rows == nullptr, takes_all, takes_some ? " with --negatives batch" : "");
}

void print_options(std::ostream& out, const std::vector<MethodOption>& options) {
  for (const MethodOption& option : options) print_option(out, option);
}

}  // namespace

void print_samplers(std::ostream& out) {
  out << "--sampler NAME --sampler-options name=value,name=value\n";
  for (const SamplerDescription& sampler : sampler_descriptions()) {
    print_head(out, sampler);
    out << "    effect: " << joined(sampler.effects, [](Effect effect) { return name_of(effect); });
    if (!sampler.needs.empty()) out << "; needs: " << joined(sampler.needs, [](Need need) { return name_of(need); });
    print_length(out, sampler);
    out << "\n";
    print_options(out, sampler.options);
  }
}

void print_objectives(std::ostream& out) {
  out << "--objective NAME --objective-options name=value,name=value\n";
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    print_head(out, objective);
    out << "    negatives: " << joined(objective.sources, [](NegativeSource source) { return name_of(source); });
    if (objective.needs_labels) out << "; needs: labels";
    if (objective.uses_temperature) out << "; --tau";
    print_length(out, objective);
    out << "\n";
    print_options(out, objective.options);
  }
}

}  // namespace negatron
