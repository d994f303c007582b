// What all programs of one device share: its context, compiled kernels, libraries, and the stream that they run in.
#pragma once

#include <memory>
#include <string>

#include "cuda/dnn.h"
#include "cuda/gemm.h"
#include "cuda/kernel_library.h"
#include "cuda/tuner.h"
#include "program/shared_arena.h"

namespace ostrich::cuda {

class CudaArena : public program::SharedArena {
 public:
  CudaArena(std::shared_ptr<Context> context, Stream& compute) : context_(std::move(context)), compute_(compute) {}

 private:
  char* replace(size_t bytes, const std::string& owner) override {
    // Where programs live, runs of theirs may be under way. What the last program leaves nobody uses.
    if (bytes > 0) compute_.wait();
    memory_ = DeviceMemory();
    if (bytes > 0) memory_ = DeviceMemory(context_, bytes, owner);
    return memory_.data();
  }

  std::shared_ptr<Context> context_;
  Stream& compute_;
  DeviceMemory memory_;
};

struct Engine : std::enable_shared_from_this<Engine> {
  // `cache`: folder of the tuner's choices.
  Engine(std::shared_ptr<Context> device, const std::string& cache, bool deterministic_only)
      : context(std::move(device)),
        kernels(context),
        tuner(context, cache, deterministic_only),
        gemm(context, tuner),
        compute(context),
        copy(context),
        arena(std::make_shared<CudaArena>(context, compute)),
        deterministic(deterministic_only) {}

  // cuDNN is opened by the first program that convolves or has recurrent layers: it takes a while.
  Dnn& dnn() {
    if (dnn_ == nullptr) dnn_ = context->libraries().open_dnn(*context);
    return *dnn_;
  }

  std::shared_ptr<Context> context;
  KernelLibrary kernels;
  Tuner tuner;
  Gemm gemm;
  Stream compute, copy;  // one for programs and buffers, one for the next run's feeds
  std::shared_ptr<CudaArena> arena;
  bool deterministic;

 private:
  std::unique_ptr<Dnn> dnn_;
};

}  // namespace ostrich::cuda
