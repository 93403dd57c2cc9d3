#include "runtime/run/data_identity.h"

#include <algorithm>

#include "runtime/snapshots/files/digest.h"

namespace negatron {
namespace {

constexpr char kBetweenLines = '\n';

/// Empty without labels.
std::string labels_identity(const ImageSource& source) {
  if (!source.has_labels()) return {};
  const at::Tensor labels = source.labels().contiguous();
  std::string bytes(static_cast<const char*>(labels.const_data_ptr()), labels.nbytes());
  for (const std::string& name : source.label_names()) bytes += name + '\0';
  return std::to_string(labels.numel()) + " labels whose numbers and names have the digest " + digest_of(bytes);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), kBetweenLines, ' ');
  return text;
}

std::string shown(const std::string& text) {
  return text.empty() ? "unknown ones" : text;
}

}  // namespace

DataIdentity identity_of(const PretrainData& data) {
  DataIdentity identity{one_line(data.train->fingerprint()), labels_identity(*data.train), {}};
  if (data.test != nullptr) {
    identity.evaluated = one_line(data.test->fingerprint() + " with " + shown(labels_identity(*data.test)));
  }
  return identity;
}

std::string data_text(const PretrainData& data) {
  const DataIdentity identity = identity_of(data);
  std::string text = "training images: " + shown(identity.images) + kBetweenLines +
                     "some training images have the digest " + shown(data.train->content_sample()) + kBetweenLines +
                     "training labels: " + shown(identity.labels) + kBetweenLines;
  if (data.test != nullptr) {
    text += "evaluated images: " + identity.evaluated + kBetweenLines + "some evaluated images have the digest " +
            shown(data.test->content_sample()) + kBetweenLines;
  }
  const auto add = [&text](const char* what, const at::Tensor& numbers) {
    if (!numbers.defined()) return;
    const at::Tensor all = numbers.contiguous();
    const std::string bytes(static_cast<const char*>(all.const_data_ptr()), all.nbytes());
    text += std::string(what) + " have the digest " + digest_of(bytes) + kBetweenLines;
  };
  add("types of samples (--sample-types)", data.facts.types);
  add("counts of samples (--sample-counts)", data.facts.counts);
  return text;
}

std::string identity_text(const DataIdentity& identity) {
  return identity.images + kBetweenLines + identity.labels + kBetweenLines + identity.evaluated;
}

std::optional<DataIdentity> parse_identity(std::string_view text) {
  const std::size_t first = text.find(kBetweenLines);
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find(kBetweenLines, first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return DataIdentity{std::string(text.substr(0, first)), std::string(text.substr(first + 1, second - first - 1)),
                      std::string(text.substr(second + 1))};
}

std::vector<std::string> what_changed_meaning(const DataIdentity& saved, const DataIdentity& here,
                                              const TakenAlong& taken) {
  const bool other_images = saved.images != here.images, other_labels = saved.labels != here.labels;
  std::vector<std::string> sentences;
  if (other_images) {
    sentences.push_back("--data are not the images of the " + taken.from + ", which were " + shown(saved.images) +
                        "; here are " + shown(here.images) + ".");
  } else if (other_labels) {
    sentences.push_back("The labels are not those of the " + taken.from + ".");
  }
  const std::string until = " until all " + std::to_string(taken.bank_rows) + " are replaced, in " +
                            std::to_string(taken.bank_steps) + " steps.";
  if (other_images && taken.rows_are_positives) {
    sentences.push_back(
        "The bank's rows are those of the old images with the same numbers, which are the positives of other images" +
        (taken.rows_learn ? ": training begins with them." : until));
  } else if (other_images && taken.bank_rows > 0) {
    sentences.push_back(
        "The bank's rows keep the sample numbers of the old images: masks by number "
        "(--mask-own-sample and the like) hide rows of other images" +
        until);
  }
  if (other_labels && taken.bank_rows > 0 && !saved.labels.empty()) {
    sentences.push_back("The bank's rows keep the old labels" + until);
  }
  if (other_images && taken.normalization) {
    sentences.push_back("Views stay normalised as those of the old images; --normalize says otherwise.");
  }
  if (saved != here && taken.baselines) {
    sentences.push_back(
        "The accuracies of raw pixels and random weights were measured on other data and are left out.");
  }
  return sentences;
}

}  // namespace negatron
