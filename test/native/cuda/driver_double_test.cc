// The driver's double finds what it is there to find.
#include "driver_double.h"

#include <gtest/gtest.h>

#include "cuda/kernels/device.h"

namespace ostrich::cuda {
namespace {

struct FillArgs {
  float* to;
  int64_t n;
  float value;
};
OSTRICH_GLOBAL(fill_kernel, FillArgs, 64) {
  for (int64_t i = first_item(); i < args.n; i += item_stride()) args.to[i] = args.value;
}

class DriverDouble : public testing::Test {
 protected:
  void SetUp() override {
    CUcontext context;
    ASSERT_EQ(host::cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
    ASSERT_EQ(host::cuCtxSetCurrent(context), CUDA_SUCCESS);
    CUlibrary library;
    ASSERT_EQ(host::cuLibraryLoadData(&library, "driver_double_test", nullptr, nullptr, 0, nullptr, nullptr, 0),
              CUDA_SUCCESS);
    CUkernel kernel;
    ASSERT_EQ(host::cuLibraryGetKernel(&kernel, library, "fill_kernel"), CUDA_SUCCESS);
    ASSERT_EQ(host::cuKernelGetFunction(&fill_, kernel), CUDA_SUCCESS);
    ASSERT_EQ(host::cuStreamCreate(&one_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(host::cuStreamCreate(&two_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(host::cuMemAlloc(&memory_, 4 * kCount), CUDA_SUCCESS);
  }
  void TearDown() override { host::cuDevicePrimaryCtxRelease(0); }

  CUresult fill(CUstream stream, float value, int64_t n = kCount, unsigned threads = 64) {
    FillArgs args = {reinterpret_cast<float*>(memory_), n, value};
    void* parameters[] = {&args};
    const CUresult result = host::cuLaunchKernel(fill_, 2, 1, 1, threads, 1, 1, 0, stream, parameters, nullptr);
    args.value = -1;  // the launch has its own
    return result;
  }
  float first() {
    float value = 0;
    EXPECT_EQ(host::cuMemcpyDtoHAsync(&value, memory_, 4, one_), CUDA_SUCCESS);
    return value;
  }

  static constexpr int64_t kCount = 100;
  CUfunction fill_ = nullptr;
  CUstream one_ = nullptr, two_ = nullptr;
  CUdeviceptr memory_ = 0;
};

TEST_F(DriverDouble, FindsAWriteBehindAnAllocation) {
  EXPECT_EQ(fill(one_, 1), CUDA_SUCCESS);
  EXPECT_EQ(host::cuStreamSynchronize(one_), CUDA_SUCCESS);
  const auto overrun = [this] {
    EXPECT_EQ(fill(one_, 1, kCount + 1), CUDA_SUCCESS);
    return host::cuStreamSynchronize(one_);
  };
#if defined(__SANITIZE_ADDRESS__)
  // The sanitizer sees the write itself.
  EXPECT_DEATH(overrun(), "use-after-poison");
#else
  EXPECT_EQ(overrun(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(host::last_refusal(), "fill_kernel: something was written behind an allocation of 400 bytes");
  EXPECT_EQ(fill(one_, 1), CUDA_ERROR_ILLEGAL_ADDRESS);
#endif
}

TEST_F(DriverDouble, InterleavesStreamsUnlessAnEventOrdersThem) {
  CUevent event;
  ASSERT_EQ(host::cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  for (const bool ordered : {false, true}) {
    int late = 0;
    for (int trial = 0; trial < 64; ++trial) {
      fill(one_, 1);
      host::cuEventRecord(event, one_);
      if (ordered) host::cuStreamWaitEvent(two_, event, 0);
      fill(two_, 2);
      EXPECT_EQ(host::cuStreamSynchronize(two_), CUDA_SUCCESS);
      EXPECT_EQ(host::cuStreamSynchronize(one_), CUDA_SUCCESS);
      late += first() == 2;
    }
    EXPECT_EQ(late == 64, ordered);
    EXPECT_GT(late, 0);
  }
}

TEST_F(DriverDouble, RunsNothingBeforeSomebodyWaits) {
  float* pinned = nullptr;
  ASSERT_EQ(host::cuMemHostAlloc(reinterpret_cast<void**>(&pinned), 4, 0), CUDA_SUCCESS);
  *pinned = 3;
  EXPECT_EQ(host::cuMemcpyHtoDAsync(memory_, pinned, 4, one_), CUDA_SUCCESS);
  *pinned = 4;  // too early, and so it shows
  EXPECT_EQ(first(), 4);
  host::cuMemFreeHost(pinned);
}

TEST_F(DriverDouble, ReplaysWithTheArgumentsOfTheCapture) {
  CUgraph graph;
  CUgraphExec exec;
  ASSERT_EQ(host::cuStreamBeginCapture(one_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  EXPECT_EQ(fill(one_, 5), CUDA_SUCCESS);
  ASSERT_EQ(host::cuStreamEndCapture(one_, &graph), CUDA_SUCCESS);
  ASSERT_EQ(host::cuGraphInstantiate(&exec, graph, 0), CUDA_SUCCESS);
  EXPECT_NE(first(), 5);  // captured, not run
  for (int replay = 0; replay < 2; ++replay) {
    fill(one_, 6);
    EXPECT_EQ(host::cuGraphLaunch(exec, one_), CUDA_SUCCESS);
    EXPECT_EQ(first(), 5);
  }
}

TEST_F(DriverDouble, RefusesAnAllocationDuringCapture) {
  CUgraph graph;
  CUdeviceptr more;
  ASSERT_EQ(host::cuStreamBeginCapture(one_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  EXPECT_EQ(host::cuMemAlloc(&more, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(host::cuStreamEndCapture(one_, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(DriverDouble, RefusesCopiesIntoFreedMemory) {
  const float value = 1;
  EXPECT_EQ(host::cuMemcpyHtoDAsync(memory_ + 4 * kCount - 2, &value, 4, one_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(host::cuMemFree(memory_), CUDA_SUCCESS);
  EXPECT_EQ(host::cuMemcpyHtoDAsync(memory_, &value, 4, one_), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverDouble, RefusesLargeBlocksAndDestroyedStreams) {
  EXPECT_EQ(fill(one_, 1, kCount, 65), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(host::cuStreamDestroy(one_), CUDA_SUCCESS);
  EXPECT_EQ(fill(one_, 1), CUDA_ERROR_INVALID_HANDLE);
}

}  // namespace
}  // namespace ostrich::cuda
