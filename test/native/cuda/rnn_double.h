// cuDNN's recurrent layers by plain loops in double precision. Weights lie in an order of this process's own, drawn
// from OSTRICH_DOUBLE_SEED, with gaps between them and second biases, of whose places nothing is told; what a forward
// keeps is refused when it comes back changed.
#pragma once

#include <memory>
#include <vector>

#include "cuda/rnn.h"

namespace ostrich::cuda::host {

constexpr const char* kRnnAlgorithm = "cudnn-double";

std::vector<std::unique_ptr<RnnPlan>> rnn_plans(Context& context, const RnnSpec& spec);

}  // namespace ostrich::cuda::host
