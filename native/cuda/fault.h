// How a kernel says that the data it was given is bad (a label out of range). The first report of a run wins, in order
// of position for one site; steps that write states do nothing once a fault is set, so that no state is spoilt. Shared
// by host and device code.
#pragma once

#include <cstdint>

namespace ostrich::cuda {

// One per program in device memory, zero when all is well; copied back with the fetches of each run.
struct Fault {
  int32_t site;   // 1 + index of the reporting site, 0: no fault
  int32_t value;  // what was found
  int64_t position;
};

// `frames`: of a row that has too few; its position is the number needed in the upper 32 bits, and the row. `code`: of
// a word whose way through a tree is none.
enum class FaultKind : uint8_t { label, index, label_length, frame_length, ctc_label, frames, word, code };

}  // namespace ostrich::cuda
