// Convolutions by cuDNN's graph API, see dnn.h. What needs cudnn-frontend stays in dnn_cudnn.cc.
#pragma once

#include <memory>
#include <string>

#include "cuda/dnn.h"

namespace ostrich::cuda {

// The first one that plans for a device that is not there, so that it can be proved on any machine.
constexpr size_t kOldestCudnn = 91200;

// `library`: the handle of libcudnn.so.9, the same in every call of a process. Throws ERR_CUDA.
std::unique_ptr<Dnn> open_cudnn(Context& context, void* library);

// What cuDNN plans for a device of which only the properties are here (JSON of cudnn-frontend's DeviceProperties): the
// engine, its workspace and how many there are. Throws ERR_CUDA with cuDNN's reason where it has none.
std::string plan_without_device(void* library, const ConvSpec& spec, const std::string& device);

}  // namespace ostrich::cuda
