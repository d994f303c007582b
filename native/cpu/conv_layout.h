// Which layout convolutions want on this machine: oneDNN's own choice, or channels last.
#pragma once

#include "core/dtype.h"
#include "core/shape.h"
#include "cpu/builder.h"

namespace ostrich::cpu {

// True when channels last is faster by a wide margin for this element type: timed once per process, on one thread.
bool channels_last_is_faster(core::DType dtype);

}  // namespace ostrich::cpu
