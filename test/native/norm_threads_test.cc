// Normalisations by batch, layer and group, and their gradients: the number of threads decides no bit, of sums over the
// whole batch least of all.
#include <gtest/gtest.h>

#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using test::Array;
using test::json;
using test::Output;

const DType kF32 = DType::f32, kBf16 = DType::bf16;

// One thread and two, which share the work in another way at each run.
void expect_alike(const std::string& op, const std::vector<Array>& inputs, const std::vector<Output>& outputs,
                  const json& attrs) {
  const auto alone = test::run_node(op, inputs, outputs, attrs, 1);
  const auto together = test::run_node(op, inputs, outputs, attrs, 2, 2);
  for (size_t i = 0; i < outputs.size(); ++i)
    EXPECT_EQ(alone[i].values, together[i].values)
        << op << " " << core::name_of(outputs[i].dtype) << core::to_string(inputs[0].shape) << " output " << i;
}

Array positive(const Shape& shape, uint32_t seed) {
  Array array = test::random_array(kF32, shape, seed);
  for (double& value : array.values) value = double(float(value * 0.5 + 1));
  return array;
}

// Of features and of images; of rows of few and of many tiles, a last one that is short among them.
const Shape kBatches[] = {{700, 90}, {5, 20011}, {16, 33, 30, 31}, {3, 5, 150, 117}};

TEST(NormThreads, BatchNormAndItsGradient) {
  for (DType dtype : {kF32, kBf16}) {
    for (const Shape& shape : kBatches) {
      const Shape channels = {shape[1]};
      const Array x = test::random_array(dtype, shape, 1), dy = test::random_array(dtype, shape, 2);
      const Array scale = positive(channels, 3), shift = test::random_array(kF32, channels, 4);
      const Array mean = test::random_array(kF32, channels, 5, 0.1), variance = positive(channels, 6);
      const std::vector<Output> outputs = {{dtype, shape}, {kF32, channels}, {kF32, channels}};
      for (const char* activation : {"none", "relu"}) {
        const json attrs = {{"epsilon", 0.01}, {"activation", activation}};
        expect_alike("batchNorm", {x, scale, shift}, outputs, attrs);
        expect_alike("batchNormGrad", {dy, x, scale, shift, mean, variance}, outputs, attrs);
        expect_alike("channelAffine", {x, scale, shift, dy}, {{dtype, shape}}, {{"activation", activation}});
      }
    }
  }
}

struct Groups {
  Shape shape;
  int64_t groups;
};
// Layer normalisation is one group over features alone. Runs below and above what is summed at once.
const Groups kGroups[] = {{{900, 77}, 1}, {{3, 20011}, 1}, {{300, 96}, 6}, {{9, 12, 40, 41}, 3}, {{2, 4, 130, 131}, 2}};

TEST(NormThreads, GroupNormAndItsGradient) {
  for (DType dtype : {kF32, kBf16}) {
    for (const auto& [shape, groups] : kGroups) {
      const Shape channels = {shape[1]}, statistic = {shape[0], groups};
      const Array x = test::random_array(dtype, shape, 1), dy = test::random_array(dtype, shape, 2);
      const Array scale = positive(channels, 3), shift = test::random_array(kF32, channels, 4);
      const Array mean = test::random_array(kF32, statistic, 5, 0.1), variance = positive(statistic, 6);
      const json attrs = {{"groups", groups}, {"epsilon", 0.01}};
      expect_alike("groupNorm", {x, scale, shift}, {{dtype, shape}, {kF32, statistic}, {kF32, statistic}}, attrs);
      expect_alike("groupNormGrad", {dy, x, scale, mean, variance},
                   {{dtype, shape}, {kF32, channels}, {kF32, channels}}, attrs);
    }
  }
}

}  // namespace
