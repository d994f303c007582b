// Where `auto` takes bf16 is a rule of the processor.
#include <gtest/gtest.h>

#include "cpu/onednn.h"

namespace {

using ostrich::cpu::bf16_is_faster_by_rule;
using Isa = dnnl::cpu_isa;

TEST(Bf16, IsFasterWithItsOwnInstructionsButForIntelsBesideHiddenTiles) {
  for (Isa isa : {Isa::avx512_core_bf16, Isa::avx512_core_fp16, Isa::avx512_core_amx})
    EXPECT_TRUE(bf16_is_faster_by_rule(isa, false)) << int(isa);
  for (Isa isa : {Isa::avx512_core_bf16, Isa::avx512_core_amx})
    EXPECT_TRUE(bf16_is_faster_by_rule(isa, true)) << int(isa);
  EXPECT_FALSE(bf16_is_faster_by_rule(Isa::avx512_core_fp16, true));
  for (Isa isa : {Isa::avx2, Isa::avx512_core, Isa::avx512_core_vnni}) {
    EXPECT_FALSE(bf16_is_faster_by_rule(isa, true)) << int(isa);
    EXPECT_FALSE(bf16_is_faster_by_rule(isa, false)) << int(isa);
  }
}

}  // namespace
