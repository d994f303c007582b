// A convolution as a graph of cuDNN, and the engines that can be built for it. For dnn_cudnn.cc alone: whatever
// includes cudnn-frontend takes half a minute to compile.
#pragma once

// clang-format off: before cudnn-frontend, whose copy is of another version than what is declared so far.
#include <nlohmann/json.hpp>
// clang-format on

#include <cudnn_frontend.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/dnn.h"

namespace ostrich::cuda::cudnn {

namespace fe = cudnn_frontend;
using Extents = std::vector<int64_t>;
using Indices = std::vector<int64_t>;
using Graph = std::unique_ptr<fe::graph::Graph>;

enum Uid : int64_t { kA = 1, kB, kBias, kY };

// cuDNN has nothing for this graph, and says why.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Refused.
void expect(fe::error_t error);

// As cuDNN names them: the extents N, C, H, W of a tensor that lies as N, H, W, C.
struct Layout {
  Extents dim;
  Extents stride() const { return {dim[1] * dim[2] * dim[3], 1, dim[1] * dim[3], dim[1]}; }
  size_t elements() const { return size_t(dim[0] * dim[1] * dim[2] * dim[3]); }
};

struct Layouts {
  Layout a, b, y;
};
Layouts layouts(const ConvSpec& spec);

// What the plans are for: a device that is here, by its handle, or one of which only the properties are known.
struct Target {
  int sm;
  cudnnHandle_t handle = nullptr;
  std::shared_ptr<fe::DeviceProperties> properties;
};

// The graph with cuDNN's suggestions of engines for it, none of them built.
Graph make_graph(const ConvSpec& spec, const Target& target);

// Builds engines, best first, until there are `limit`; only the one of this name where it is given and can be built.
Indices build(fe::graph::Graph& graph, size_t limit, const std::optional<std::string>& only = std::nullopt);

std::string name_at(const fe::graph::Graph& graph, int64_t index);
size_t workspace_at(const fe::graph::Graph& graph, int64_t index);

}  // namespace ostrich::cuda::cudnn
