// What a program on the device says of itself: the plan as text, the counters, and what bad data it met.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cuda/cuda_program.h"

namespace ostrich::cuda {

namespace {

void describe(std::ostream& text, const Slot* slot) {
  const Storage* storage = slot->storage->root();
  text << core::name_of(slot->dtype) << " " << slot->layout.to_string(slot->shape);
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

void CudaProgram::expect_no_fault(const Fault& fault) const {
  if (fault.site == 0) return;
  OSTRICH_CHECK(fault.site > 0 && size_t(fault.site) <= builder_.fault_sites.size());
  const FaultSite& site = builder_.fault_sites[size_t(fault.site) - 1];
  const bool label = site.kind == FaultKind::label;
  core::fail("ERR_DATA", site.label, ": expected ", label ? "labels" : "indices", " 0..", site.limit - 1, ", got ",
             fault.value, " at ", label ? "row" : "position", " ", fault.position);
}

std::string CudaProgram::explain() const {
  std::ostringstream text;
  text << "program " << spec_.name << ": " << builder_.steps.size() << " steps, arena " << builder_.arena.bytes()
       << " bytes (at least " << builder_.arena_floor << "), " << (profile_ ? "launched one by one" : "one graph")
       << "\n";
  for (size_t i = 0; i < builder_.steps.size(); ++i) {
    const Step& step = *builder_.steps[i];
    text << i << " " << step.op << "[" << step.path << "] " << step.detail;
    for (const Slot* slot : step.reads) describe(text << "\n    <- ", slot);
    for (const Slot* slot : step.writes) describe(text << "\n    -> ", slot);
    text << "\n";
  }
  return text.str();
}

std::string CudaProgram::profile_json() const {
  if (!profile_) return "";
  nlohmann::json rows = nlohmann::json::array();
  for (size_t i = 0; i < times_.size(); ++i) {
    std::vector<float> times = times_[i];
    if (times.empty()) return "";
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    const Step& step = *builder_.steps[i];
    rows.push_back({{"op", step.op}, {"path", step.path}, {"detail", step.detail}, {"ms", times[times.size() / 2]}});
  }
  return rows.dump();
}

backend::Stats CudaProgram::stats() const {
  backend::Stats stats;
  stats.runs = started_;
  stats.arena_bytes = int64_t(builder_.arena.bytes());
  for (const auto& buffer : builder_.state) stats.state_bytes += int64_t(buffer->bytes());
  stats.steps = int64_t(builder_.steps.size());
  stats.reorders = std::count_if(builder_.steps.begin(), builder_.steps.end(),
                                 [](const auto& step) { return step->op == "reorder"; });
  stats.explain = explain();
  stats.profile = profile_json();
  return stats;
}

}  // namespace ostrich::cuda
