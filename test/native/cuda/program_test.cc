// What a program leaves behind where it cannot be made.
#include <gtest/gtest.h>

#include "cuda/cuda_program.h"
#include "driver_state.h"

namespace ostrich::cuda {
namespace {

// The doubles, one of them replaced.
Libraries doubles() {
  Libraries table;
#define OSTRICH_DRIVER(name) table.driver.name = host::name;
#include "cuda/driver.def"
  return table;
}

constexpr const char* kNegate = R"({
  "format": "ostrich-program", "version": 1, "name": "negate",
  "feeds": [{"value": 0, "name": "x", "dtype": "f32", "shape": [4]}], "states": [], "constants": [],
  "nodes": [{"op": "pointwise", "in": [0], "out": [{"value": 1, "dtype": "f32", "shape": [4]}],
             "attrs": {"chain": [["neg", "f32", 0]], "outputs": [1]}, "path": "negate"}],
  "assigns": [], "fetches": [{"name": "y", "value": 1}]})";

TEST(CudaProgram, LeavesNoGraphWhereItsUploadFails) {
  Libraries table = doubles();
  table.driver.cuGraphUpload = [](CUgraphExec, CUstream) { return CUDA_ERROR_OUT_OF_MEMORY; };
  const auto context = std::make_shared<Context>(table, 0, 0);
  const auto engine = std::make_shared<Engine>(context, "", false);
  const program::ProgramSpec spec = program::parse(kNegate);
  const size_t graphs = host::state().graph_handles.count(), executable = host::state().exec_handles.count();
  EXPECT_THROW(CudaProgram(spec, {}, engine, false), core::Error);
  EXPECT_EQ(host::state().graph_handles.count(), graphs);
  EXPECT_EQ(host::state().exec_handles.count(), executable);
}

}  // namespace
}  // namespace ostrich::cuda
