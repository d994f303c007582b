// What a program on the device says of itself: the plan as text, the counters, and what bad data it met.
#include <algorithm>
#include <sstream>

#include "cuda/cuda_program.h"

namespace ostrich::cuda {

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
       << " bytes (at least " << builder_.arena_floor << "), "
       << (profile_ != nullptr ? "launched one by one" : "one graph") << "\n"
       << program::explain(builder_.steps);
  return text.str();
}

backend::Stats CudaProgram::stats() const {
  backend::Stats stats;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats.runs = ended_;
  }
  stats.arena_bytes = int64_t(builder_.arena.bytes());
  for (const auto& buffer : builder_.state) stats.state_bytes += int64_t(buffer->bytes());
  stats.steps = int64_t(builder_.steps.size());
  stats.reorders = std::count_if(builder_.steps.begin(), builder_.steps.end(),
                                 [](const auto& step) { return step->op == "reorder"; });
  stats.explain = explain();
  if (profile_ != nullptr) stats.profile = profile_->json(builder_.steps);
  return stats;
}

}  // namespace ostrich::cuda
