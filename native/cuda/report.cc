// What a program on the device says of itself: the plan as text, the counters, and what bad data it met.
#include <algorithm>
#include <sstream>

#include "cuda/cuda_program.h"

namespace ostrich::cuda {
namespace {

// What was expected, but for what, and what its places are.
struct Complaint {
  const char *what, *but, *where;
};

Complaint complaint_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::label:
      return {"labels", "", "row"};
    case FaultKind::ctc_label:
      return {"labels", " other than the blank", "row"};
    case FaultKind::label_length:
      return {"label lengths", "", "row"};
    case FaultKind::frame_length:
      return {"frame lengths", "", "row"};
    case FaultKind::word:
      return {"words", " or -1", "place"};
    case FaultKind::code:
      return {"codes", "", "place"};
    default:
      return {"indices", "", "position"};
  }
}

}  // namespace

void CudaProgram::expect_no_fault(const Fault& fault) const {
  if (fault.site == 0) return;
  OSTRICH_CHECK(fault.site > 0 && size_t(fault.site) <= builder_.fault_sites.size());
  const FaultSite& site = builder_.fault_sites[size_t(fault.site) - 1];
  if (site.kind == FaultKind::frames) {
    core::fail("ERR_DATA", site.label, ": expected at least ", fault.position >> 32, " frames for the labels of row ",
               fault.position & 0xffffffff, ", got ", fault.value);
  }
  const Complaint complaint = complaint_of(site.kind);
  core::fail("ERR_DATA", site.label, ": expected ", complaint.what, " 0..", site.limit - 1, complaint.but, ", got ",
             fault.value, " at ", complaint.where, " ", fault.position);
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
