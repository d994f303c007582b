// Which layout convolutions want on this machine: oneDNN's own choice, or channels last.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace ostrich::cpu {

// Whether channels last is faster by a wide margin on processors of this instruction set.
bool channels_last_by_rule(dnnl::cpu_isa isa, bool intel);

// What this process does: the rule for this machine, unless OSTRICH_CONVOLUTIONS says `blocked` or `channels-last`.
// Throws ERR_ARGUMENT for another value.
bool channels_last_is_faster();

}  // namespace ostrich::cpu
