// The CUDA driver on the host, for tests: native/cuda/driver.def with devices that are made of this process's memory
// and kernels that run by host_runtime.h. Work runs only when somebody waits, and streams interleave in an arbitrary
// order that a seed decides, so that a missing event or wait shows. What a real device would refuse, or would corrupt
// silently, is refused here with a text on stderr.
//
// OSTRICH_DOUBLE_SM=90 (compute capability), OSTRICH_DOUBLE_MEMORY (bytes of each device, 4 GiB),
// OSTRICH_DOUBLE_DEVICES=2, OSTRICH_DOUBLE_DRIVER=13000 (below 12040 it loads no kernels: they are compressed),
// OSTRICH_DOUBLE_SEED=1. With OSTRICH_DOUBLE_IDLE=1 nothing that is enqueued computes and no
// memory is filled, so that programs of any size compile at once, and run to results that mean nothing.
#pragma once

#include <functional>
#include <string>

#include "cuda/libraries.h"
#include "host_runtime.h"

namespace ostrich::cuda::host {

// Each entry point, under its own name.
#define OSTRICH_DRIVER(name) decltype(::name) name;
#include "cuda/driver.def"
#define OSTRICH_CUBLASLT(name) decltype(::name) name;
#include "cuda/cublaslt.def"

std::unique_ptr<Dnn> open_dnn(Context& context);

// Runs on the device: returns what went wrong, or nothing. A captured one runs once per replay.
using Work = std::function<std::string()>;

// Puts work into a stream, or into the graph that the stream is captured into.
CUresult enqueue(CUstream stream, const std::string& label, Work work);

// Within Work: empty when all the bytes lie in one live allocation of device memory, else what is wrong with them.
std::string outside(const void* data, size_t bytes, const std::string& what);

// Fills with quiet NaNs, of f32 and of bf16 alike.
void poison(void* data, size_t bytes);

// Says on stderr what is wrong, and returns the code.
CUresult refuse(CUresult code, const std::string& text);
// What was said last.
std::string last_refusal();

}  // namespace ostrich::cuda::host
