// What all programs of one device share: its context, compiled kernels, libraries, and the stream that they run in.
#pragma once

#include <memory>
#include <string>

#include "cuda/dnn.h"
#include "cuda/gemm.h"
#include "cuda/kernel_library.h"
#include "cuda/tuner.h"

namespace ostrich::cuda {

struct Engine {
  // `cache`: folder of the tuner's choices.
  Engine(std::shared_ptr<Context> device, const std::string& cache, bool deterministic_only)
      : context(std::move(device)),
        kernels(context),
        tuner(context, cache, deterministic_only),
        gemm(context, tuner),
        compute(context),
        copy(context),
        deterministic(deterministic_only) {}

  // cuDNN is opened by the first program that convolves: it takes a while.
  Dnn& dnn() {
    if (dnn_ == nullptr) dnn_ = context->libraries().open_dnn(*context);
    return *dnn_;
  }

  std::shared_ptr<Context> context;
  KernelLibrary kernels;
  Tuner tuner;
  Gemm gemm;
  Stream compute, copy;  // one for programs and buffers, one for the next run's feeds
  bool deterministic;

 private:
  std::unique_ptr<Dnn> dnn_;
};

}  // namespace ostrich::cuda
