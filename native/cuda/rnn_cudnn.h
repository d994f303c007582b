// Recurrent layers by cuDNN's RNN functions, see rnn.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda/rnn.h"

namespace ostrich::cuda {

// The functions, and a handle of one device; plans keep it.
class CudnnRnn;

// `library`: the handle of libcudnn.so.9. Throws ERR_CUDA.
std::shared_ptr<CudnnRnn> open_cudnn_rnn(std::shared_ptr<Context> context, void* library);

// One for each algorithm that cuDNN accepts for this layer.
std::vector<std::unique_ptr<RnnPlan>> cudnn_rnn_plans(const std::shared_ptr<CudnnRnn>& rnn, const RnnSpec& spec);

// Names of all algorithms.
std::vector<std::string> cudnn_rnn_algorithms();

// Names of the algorithms that accept the description of this layer, as far as that is asked before there is a device.
// Throws ERR_CUDA where none does.
std::string describe_rnn_without_device(void* library, const RnnSpec& spec);

}  // namespace ostrich::cuda
