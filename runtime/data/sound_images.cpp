#include "runtime/data/sound_images.h"

#include <algorithm>
#include <utility>

#include "runtime/data/data_error.h"

namespace negatron {
namespace {

/// So few are bad luck in however small a data set.
constexpr std::int64_t kAlwaysAllowed = 10;
constexpr std::int64_t kAskedForEachAllowed = 100;
/// A person reads no more.
constexpr std::int64_t kMostTold = 10;

}  // namespace

SoundImages::SoundImages(std::shared_ptr<const ImageSource> images, std::function<void(const std::string&)> tell)
    : images_(std::move(images)), tell_(std::move(tell)) {}

template <typename Load>
auto SoundImages::load_one(std::int64_t id, const Load& load) const {
  while (true) {
    const std::int64_t chosen = stand_in(id);
    std::string why;
    try {
      return load(at::full({1}, chosen, at::kLong));
    } catch (const DataError& error) {
      why = error.what();
    }
    note_broken(chosen, why);
  }
}

DecodedImages SoundImages::load(const at::Tensor& ids) const {
  asked_ += ids.size(0);
  try {
    return images_->load(stand_ins(ids));
  } catch (const DataError&) {
    // Which of them it is, shows one by one.
  }
  std::vector<at::Tensor> loaded;
  const auto load_whole = [&](const at::Tensor& id) { return images_->load(id).image(0).squeeze(0); };
  for (std::int64_t i = 0; i < ids.size(0); ++i) loaded.push_back(load_one(ids[i].item<std::int64_t>(), load_whole));
  return DecodedImages(std::move(loaded));
}

ImageParts SoundImages::load_parts(const at::Tensor& ids, const CropsOfImage& crops) const {
  asked_ += ids.size(0);
  try {
    return images_->load_parts(stand_ins(ids), crops);
  } catch (const DataError&) {
    // As above.
  }
  std::vector<at::Tensor> loaded;
  std::vector<ImagePart> parts;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto its_crops = [&](std::int64_t, const ImageSize& size) { return crops(i, size); };
    const auto load_part = [&](const at::Tensor& id) { return images_->load_parts(id, its_crops); };
    const ImageParts one = load_one(ids[i].item<std::int64_t>(), load_part);
    loaded.push_back(one.pixels.image(0).squeeze(0));
    parts.push_back(one.parts.empty() ? ImagePart() : one.parts.front());
  }
  return {DecodedImages(std::move(loaded)), std::move(parts)};
}

void SoundImages::note_broken(std::int64_t id, const std::string& why) const {
  std::int64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!broken_.insert(id).second) return;
    count = static_cast<std::int64_t>(broken_.size());
  }
  const std::int64_t asked = asked_;
  if (count == size() || count > std::max(kAlwaysAllowed, asked / kAskedForEachAllowed)) {
    throw DataError(std::to_string(count) + " images of " + std::to_string(asked) +
                    " that were asked for are broken, more than 1 %; the last of them: " + why);
  }
  if (!tell_ || count > kMostTold) return;
  tell_(why + " The next image takes its place (broken images so far: " + std::to_string(count) +
        (count == kMostTold ? "; more are not told)." : ")."));
}

std::int64_t SoundImages::stand_in(std::int64_t id) const {
  const std::lock_guard lock(mutex_);
  if (static_cast<std::int64_t>(broken_.size()) == size()) throw DataError("All images are broken.");
  while (broken_.count(id) > 0) id = (id + 1) % size();
  return id;
}

// Example: of 5 images 1, 2 and 4 are broken. In the places of 1 and 2 comes 3, in that of 4 comes 0.
at::Tensor SoundImages::stand_ins(const at::Tensor& ids) const {
  if (broken() == 0) return ids;
  at::Tensor chosen = ids.contiguous().clone();
  auto* values = chosen.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < chosen.numel(); ++i) values[i] = stand_in(values[i]);
  return chosen;
}

std::int64_t SoundImages::broken() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(broken_.size());
}

at::Tensor SoundImages::broken_images() const {
  const std::lock_guard lock(mutex_);
  const std::vector<std::int64_t> numbers(broken_.begin(), broken_.end());
  return std::get<0>(at::tensor(numbers, at::kLong).sort());
}

}  // namespace negatron
