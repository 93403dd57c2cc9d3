#include "runtime/weights/take_weights.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

namespace negatron {
namespace {

using Targets = std::vector<std::pair<std::string, at::Tensor>>;

constexpr std::size_t kShownNames = 8;

Targets targets_of(const torch::nn::Module& network) {
  Targets targets;
  for (const auto& one : network.named_parameters()) targets.emplace_back(one.key(), one.value().detach());
  for (const auto& one : network.named_buffers()) targets.emplace_back(one.key(), one.value().detach());
  return targets;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShownNames); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShownNames) text += " and " + std::to_string(names.size() - kShownNames) + " more";
  return text;
}

std::string sizes_of(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

/// As MoCo, MoCo v3, BYOL, DINO and this program call a network that follows another.
bool names_momentum_copy(const std::string& prefix) {
  const auto words = {"encoder_k.", "momentum", "key_encoder", "teacher", "target", "ema."};
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return prefix.find(word) != std::string::npos; });
}

/// Everything that stands in front of one of the network's names somewhere in the file. Example: conv1.weight of a
/// ResNet stands in MoCo's file as module.encoder_q.conv1.weight, as module.encoder_k.conv1.weight, and inside the
/// blocks as module.encoder_q.layer1.0.conv1.weight; only the first two have all of the network's names behind them.
std::set<std::string> prefixes_in(const SavedWeights& weights, const Targets& targets) {
  std::set<std::string> prefixes;
  for (const auto& [saved, tensor] : weights) {
    for (const auto& [name, target] : targets) {
      if (!saved.ends_with(name)) continue;
      const std::string prefix = saved.substr(0, saved.size() - name.size());
      if (prefix.empty() || prefix.back() == '.') prefixes.insert(prefix);
    }
  }
  return prefixes;
}

std::string find_prefix(const SavedWeights& weights, const Targets& targets, bool momentum_copy) {
  // Most names first; of equals the one of the network that is meant, and of those the shortest.
  std::tuple<std::int64_t, bool, std::int64_t> best{0, false, 0};
  std::string found;
  for (const std::string& prefix : prefixes_in(weights, targets)) {
    const std::int64_t names = std::count_if(
        targets.begin(), targets.end(), [&](const auto& target) { return weights.contains(prefix + target.first); });
    const std::tuple score{names, names_momentum_copy(prefix) == momentum_copy,
                           -static_cast<std::int64_t>(prefix.size())};
    if (score <= best) continue;
    best = score;
    found = prefix;
  }
  return found;
}

bool is_first_convolution(const at::Tensor& saved, const at::Tensor& target) {
  return saved.dim() == 4 && target.dim() == 4 && saved.size(1) == 3 && target.size(1) == 1 &&
         saved.size(0) == target.size(0) && saved.size(2) == target.size(2) && saved.size(3) == target.size(3);
}

/// The values for a target, in its shape.
at::Tensor fitted(const std::string& file, const std::string& name, const at::Tensor& saved, const at::Tensor& target,
                  bool adapt_channels) {
  if (saved.sizes() == target.sizes()) return saved;
  const bool adaptable = is_first_convolution(saved, target);
  if (adaptable && adapt_channels) return saved.to(target.scalar_type()).sum(1, /*keepdim=*/true);
  throw WeightsError("'" + file + "': '" + name + "' is " + sizes_of(saved) + ", this run's encoder has " +
                     sizes_of(target) +
                     (adaptable ? "; --init-adapt-channels adds up the kernels of the three colours."
                                : " (--encoder and its options, size and channels of the images)."));
}

}  // namespace

std::string TakenWeights::text() const {
  std::string text = std::to_string(taken) + " of " + std::to_string(wanted) + " tensors of the encoder taken";
  if (!prefix.empty()) text += " from '" + prefix + "'";
  text += missing.empty() ? "; none missing" : "; missing: " + names_text(missing);
  if (!left_over.empty()) text += "; left over: " + names_text(left_over);
  if (elsewhere > 0) text += "; " + std::to_string(elsewhere) + " of other networks left alone";
  return text + ".";
}

TakenWeights take_weights(const std::string& file, const SavedWeights& weights, const WeightsWanted& wanted,
                          torch::nn::Module& network) {
  const at::NoGradGuard no_grad;
  const Targets targets = targets_of(network);
  TakenWeights result;
  result.prefix = find_prefix(weights, targets, wanted.momentum_copy);
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  std::set<std::string> used;
  for (const auto& [name, target] : targets) {
    const bool counts = !name.ends_with("num_batches_tracked");
    if (counts) ++result.wanted;
    const auto found = weights.find(result.prefix + name);
    if (found == weights.end()) {
      if (counts) result.missing.push_back(name);
      continue;
    }
    if (counts) ++result.taken;
    used.insert(found->first);
    copies.emplace_back(target, fitted(file, found->first, found->second, target, wanted.adapt_channels));
  }
  for (const auto& [name, tensor] : weights) {
    if (used.contains(name)) continue;
    if (!name.starts_with(result.prefix)) {
      ++result.elsewhere;
    } else {
      result.left_over.push_back(name.substr(result.prefix.size()));
    }
  }
  if (result.taken == 0) {
    throw WeightsError("'" + file + "' has none of the encoder's weights: it holds " + names_text(result.left_over) +
                       "; the encoder wants " + names_text(result.missing) + ".");
  }
  for (const auto& [target, values] : copies) target.copy_(values);
  return result;
}

}  // namespace negatron
