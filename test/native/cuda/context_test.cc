// What a device refuses, and that the process lives on.
#include "cuda/context.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "cuda/libraries.h"

namespace ostrich::cuda {
namespace {

constexpr size_t kMiB = size_t(1) << 20;

// The error that `work` ends with, as "CODE: text"; empty without one.
template <class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const core::Error& error) {
    return error.code() + ": " + error.what();
  }
  return "";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "expected '" << part << "' in: " << text;
}

TEST(CudaContext, SaysWhoHoldsMemoryWhenTheLimitIsReached) {
  const auto context = std::make_shared<Context>(libraries(), 0, 8 * kMiB);
  DeviceMemory weights(context, 5 * kMiB, "net/w"), moments(context, 2 * kMiB, "net/w.momentum");
  const std::string error = error_of([&] { DeviceMemory(context, 4 * kMiB, "arena of train"); });
  expect_contains(error, "ERR_OUT_OF_MEMORY: arena of train: expected 4 MiB of device memory, got none");
  expect_contains(error, "the limit for this device is 8 MiB; Ostrich holds 7 MiB (net/w 5 MiB, net/w.momentum 2 MiB)");
  EXPECT_EQ(error_of([&] { DeviceMemory(context, kMiB, "less"); }), "");
  { DeviceMemory gone(std::move(weights)); }
  EXPECT_EQ(error_of([&] { DeviceMemory(context, 4 * kMiB, "arena of train"); }), "");
}

TEST(CudaContext, SaysWhatIsFreeWhenTheDeviceIsFull) {
  const auto context = std::make_shared<Context>(libraries(), 0, 0);
  const std::string error = error_of([&] { DeviceMemory(context, 5000 * kMiB, "arena of train"); });
  expect_contains(error, "ERR_OUT_OF_MEMORY: arena of train: expected 5000 MiB of device memory, got none: 40");
  expect_contains(error, "of 4096 MiB are free; Ostrich holds 0 MiB");
  EXPECT_EQ(error_of([&] { DeviceMemory(context, kMiB, "less"); }), "");
}

// Memory is freed wherever its last owner goes. A driver that does nothing leaves the threads no time apart.
TEST(CudaContext, CountsTheMemoryOfSeveralThreads) {
  Libraries table = libraries();
  table.driver.cuMemAlloc = [](CUdeviceptr* data, size_t) {
    static std::atomic<CUdeviceptr> next{256};
    *data = next += 256;
    return CUDA_SUCCESS;
  };
  table.driver.cuMemFree = [](CUdeviceptr) { return CUDA_SUCCESS; };
  table.driver.cuCtxSetCurrent = [](CUcontext) { return CUDA_SUCCESS; };
  const auto context = std::make_shared<Context>(table, 0, 0);
  const DeviceMemory kept(context, 100, "kept");
  const auto work = [&](size_t bytes) {
    for (int i = 0; i < 300000; ++i) DeviceMemory(context, bytes, "taken for a moment");
  };
  std::thread one(work, 1), two(work, 2);
  one.join();
  two.join();
  EXPECT_EQ(context->held_bytes(), 100u);
}

TEST(CudaContext, IsLostAfterAFaultAndSaysSoEverAfter) {
  const auto context = std::make_shared<Context>(libraries(), 1, 0);
  const std::string first =
      error_of([&] { context->check(CUDA_ERROR_ILLEGAL_ADDRESS, "cuStreamSynchronize(stream)"); });
  expect_contains(first, "ERR_CUDA: cuda: cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS");
  expect_contains(first, "the device is lost to this process");
  const std::string later = error_of([&] { context->enter(); });
  expect_contains(later, "ERR_CUDA: cuda: expected a device in use, got one that was lost: cuStreamSynchronize");
  EXPECT_EQ(error_of([] { Context(libraries(), 0, 0); }), "") << "another device is as it was";
}

TEST(CudaContext, TellsABusyDeviceAndAFullOneFromFaults) {
  const auto context = std::make_shared<Context>(libraries(), 0, 0);
  expect_contains(error_of([&] { context->check(CUDA_ERROR_DEVICE_UNAVAILABLE, "cuDevicePrimaryCtxRetain(x)"); }),
                  "ERR_NO_DEVICE: cuda: cuDevicePrimaryCtxRetain failed with");
  expect_contains(error_of([&] { context->check(CUDA_ERROR_OUT_OF_MEMORY, "cuGraphInstantiate(x)"); }),
                  "ERR_OUT_OF_MEMORY: cuda: cuGraphInstantiate failed with CUDA_ERROR_OUT_OF_MEMORY");
  EXPECT_EQ(error_of([&] { context->enter(); }), "") << "neither loses the device";
}

TEST(CudaContext, RefusesADeviceThatIsNotThere) {
  expect_contains(error_of([] { Context(libraries(), 7, 0); }), "ERR_NO_DEVICE: cuda:7: expected a device below 2");
}

}  // namespace
}  // namespace ostrich::cuda
