// The names of convolutions: what is written is read back, and nothing else is read.
#include "cuda/dnn.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace ostrich::cuda {
namespace {

TEST(CudaConvSpec, IsReadBackFromItsKey) {
  ConvSpec spec{ConvPass::forward, 128, 4, 224, 224, 64, 55, 55, 11, 11, {4, 4}, {1, 1}, {2, 2, 2, 2}};
  const auto expect_same = [&] { EXPECT_EQ(ConvSpec::parse(spec.key()).key(), spec.key()); };
  expect_same();
  spec.bias = true;
  spec.tf32 = true;
  expect_same();
  spec.pass = ConvPass::grad_weight;
  spec.groups = 2;
  spec.dilation = {2, 1};
  spec.padding = {1, 2, 3, 4};
  spec.in = core::DType::bf16;
  spec.deterministic = true;
  expect_same();
  const ConvSpec read = ConvSpec::parse(spec.key());
  EXPECT_EQ(read.pass, ConvPass::grad_weight);
  EXPECT_EQ(read.groups, 2);
  EXPECT_EQ(read.padding, spec.padding);
  EXPECT_EQ(read.in, core::DType::bf16);
  EXPECT_TRUE(read.deterministic && read.tf32 && read.bias);
}

TEST(CudaConvSpec, RefusesAKeyThatIsNone) {
  for (const char* text : {"", "forward", "sideways x[1,1,1,1]", "forward x[1,2]"}) {
    EXPECT_THROW(ConvSpec::parse(text), core::Error) << text;
  }
}

}  // namespace
}  // namespace ostrich::cuda
