// The layout of convolutions is a rule of the processor: no clock decides it.
#include "cpu/conv_layout.h"

#include <gtest/gtest.h>

namespace {

using ostrich::cpu::channels_last_by_rule;
using Isa = dnnl::cpu_isa;

TEST(ConvLayout, IsChannelsLastOnIntelWithAvx512AndWithoutAmx) {
  for (Isa isa : {Isa::avx512_core, Isa::avx512_core_vnni, Isa::avx512_core_bf16, Isa::avx512_core_fp16})
    EXPECT_TRUE(channels_last_by_rule(isa, true)) << int(isa);
}

TEST(ConvLayout, IsOneDnnsOwnChoiceElsewhere) {
  for (Isa isa : {Isa::sse41, Isa::avx2, Isa::avx2_vnni, Isa::avx512_core_amx})
    EXPECT_FALSE(channels_last_by_rule(isa, true)) << int(isa);
  for (Isa isa : {Isa::avx2, Isa::avx512_core, Isa::avx512_core_bf16})
    EXPECT_FALSE(channels_last_by_rule(isa, false)) << int(isa);
}

}  // namespace
