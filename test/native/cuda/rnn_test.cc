// The names of recurrent layers: what is written is read back, and nothing else is read.
#include "cuda/rnn.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace ostrich::cuda {
namespace {

TEST(CudaRnnSpec, IsReadBackFromItsKey) {
  for (Cell cell : {Cell::lstm, Cell::tanh}) {
    RnnSpec spec{cell, 35, 20, 200, 650};
    EXPECT_EQ(RnnSpec::parse(spec.key()).key(), spec.key());
    spec.tf32 = true;
    EXPECT_TRUE(RnnSpec::parse(spec.key()).tf32);
    spec.dtype = core::DType::bf16;
    spec.training = true;
    const RnnSpec read = RnnSpec::parse(spec.key());
    EXPECT_EQ(read.key(), spec.key());
    EXPECT_EQ(read.cell, cell);
    EXPECT_EQ(read.h, 650);
    EXPECT_EQ(read.dtype, core::DType::bf16);
    EXPECT_TRUE(read.training);
  }
}

TEST(CudaRnnSpec, RefusesAKeyThatIsNone) {
  for (const char* text : {"", "lstm", "gru t1 n1 d1 h1 f32", "relu t1 n1 d1 h1 f32", "lstm t1 n1 d1 h1 f32 fast",
                           "lstm t1 n1 d1 h1 f33"}) {
    EXPECT_THROW(RnnSpec::parse(text), core::Error) << text;
  }
}

}  // namespace
}  // namespace ostrich::cuda
