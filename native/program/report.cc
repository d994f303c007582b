// See report.h.
#include "program/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ostrich::program {

namespace {

void describe(std::ostream& text, const Slot* slot) {
  const Storage* storage = slot->storage->root();
  text << core::name_of(slot->dtype) << " " << slot->lies();
  switch (storage->place) {
    case Place::arena:
      text << " @" << storage->arena_offset;
      break;
    case Place::state:
      text << " state";
      break;
    case Place::feed:
      text << " feed";
      break;
    case Place::fetch:
      text << " fetch";
      break;
    case Place::constant:
      text << " constant";
      break;
  }
}

}  // namespace

std::string explain(const Steps& steps) {
  std::ostringstream text;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = *steps[i];
    text << i << " " << step.op << "[" << step.path << "] " << step.detail;
    for (const Slot* slot : step.reads) describe(text << "\n    <- ", slot);
    for (const Slot* slot : step.writes) describe(text << "\n    -> ", slot);
    text << "\n";
  }
  return text.str();
}

void Profile::add(size_t step, float milliseconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Times& times = times_[step];
  if (times.last.size() < kRuns) {
    times.last.push_back(milliseconds);
    return;
  }
  times.last[times.next] = milliseconds;
  times.next = (times.next + 1) % kRuns;
}

std::string Profile::json(const Steps& steps) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  nlohmann::json rows = nlohmann::json::array();
  for (size_t i = 0; i < steps.size(); ++i) {
    std::vector<float> times = times_[i].last;
    if (times.empty()) return "";
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    const Step& step = *steps[i];
    rows.push_back({{"op", step.op}, {"path", step.path}, {"detail", step.detail}, {"ms", times[times.size() / 2]}});
  }
  return rows.dump();
}

}  // namespace ostrich::program
