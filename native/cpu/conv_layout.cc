// oneDNN's `any` prefers layouts in blocks of channels on CPUs without AMX, although its channels-last kernels are up
// to 1.6 times faster on Intel's (docs/decisions/0007). A rule and no timing: the kernels decide the last bits of a
// result, which must be the same in every process on the same kind of processor.
#include "cpu/conv_layout.h"

#include <cstdlib>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "core/error.h"

namespace ostrich::cpu {
namespace {

bool decide() {
  const char* given = std::getenv("OSTRICH_CONVOLUTIONS");
  if (given == nullptr || *given == '\0')
    return channels_last_by_rule(dnnl::get_effective_cpu_isa(), __builtin_cpu_is("intel") != 0);
  const std::string name = given;
  if (name != "blocked" && name != "channels-last")
    core::fail("ERR_ARGUMENT", "OSTRICH_CONVOLUTIONS: expected blocked or channels-last, got ", name);
  return name == "channels-last";
}

}  // namespace

// Below AVX-512 oneDNN has no brgemm convolutions, and its others are alike in speed. With AMX its own choice is
// channels last wherever that is faster.
bool channels_last_by_rule(dnnl::cpu_isa isa, bool intel) {
  return intel && isa >= dnnl::cpu_isa::avx512_core && isa < dnnl::cpu_isa::avx512_core_amx;
}

bool channels_last_is_faster() {
  static const bool last = decide();
  return last;
}

}  // namespace ostrich::cpu
