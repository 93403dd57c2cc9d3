#include "runtime/metrics/tensorboard/event_writer.h"

#include <chrono>
#include <cmath>

#include <unistd.h>

#include "runtime/metrics/tensorboard/events.pb.h"

namespace negatron {
namespace {

/// Seconds since 1970.
double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0) return "host";
  return name;
}

/// TensorBoard takes files whose names hold "tfevents", and reads those of a folder in the order of their names.
std::filesystem::path new_file_in(const std::filesystem::path& folder) {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return folder /
         ("events.out.tfevents." + std::to_string(microseconds) + "." + host_name() + "." + std::to_string(getpid()));
}

events::Event event_at(std::int64_t step) {
  events::Event event;
  event.set_wall_time(now());
  event.set_step(step);
  return event;
}

/// What every file begins with.
std::string head_from(std::int64_t first_step) {
  events::Event version = event_at(0);
  version.set_file_version("brain.Event:2");
  events::Event start = event_at(first_step);
  start.mutable_session_log()->set_status(events::SessionLog::START);
  return framed_record(version.SerializeAsString()) + framed_record(start.SerializeAsString());
}

}  // namespace

EventWriter::EventWriter(const std::filesystem::path& folder, std::int64_t first_step, AppendedFile::Warn warn)
    : file_(new_file_in(folder), head_from(first_step), std::move(warn)) {}

void EventWriter::write(std::int64_t step, const Scalars& scalars) {
  events::Event event = event_at(step);
  for (const auto& [name, number] : scalars) {
    if (!std::isfinite(number)) continue;
    events::Summary::Value* value = event.mutable_summary()->add_value();
    value->set_tag(name);
    value->set_simple_value(static_cast<float>(number));
  }
  if (event.has_summary()) file_.append(event.SerializeAsString());
}

void EventWriter::write_image(std::int64_t step, const NamedImage& image) {
  constexpr std::int32_t kColour = 3;
  events::Event event = event_at(step);
  events::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(image.name);
  value->mutable_image()->set_height(static_cast<std::int32_t>(image.height));
  value->mutable_image()->set_width(static_cast<std::int32_t>(image.width));
  value->mutable_image()->set_colorspace(kColour);
  value->mutable_image()->set_encoded_image_string(image.png);
  file_.append(event.SerializeAsString());
}

void EventWriter::write_histogram(std::int64_t step, const NamedHistogram& histogram) {
  events::Event event = event_at(step);
  events::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(histogram.name);
  events::Histogram* told = value->mutable_histo();
  told->set_min(histogram.begin);
  told->set_max(histogram.ends.back());
  double lower = histogram.begin, count = 0.0, sum = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < histogram.ends.size(); ++i) {
    // Of values in a bucket only their number is known: the sums are those of its middle.
    const double middle = 0.5 * (lower + histogram.ends[i]);
    lower = histogram.ends[i];
    count += histogram.counts[i];
    sum += histogram.counts[i] * middle;
    squares += histogram.counts[i] * middle * middle;
    told->add_bucket_limit(histogram.ends[i]);
    told->add_bucket(histogram.counts[i]);
  }
  told->set_num(count);
  told->set_sum(sum);
  told->set_sum_squares(squares);
  file_.append(event.SerializeAsString());
}

}  // namespace negatron
