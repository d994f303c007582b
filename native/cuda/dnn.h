// Convolutions, channels last, and recurrent layers, behind a narrow interface: by cuDNN (dnn_cudnn.cc, rnn_cudnn.cc),
// or by whatever else fills Libraries::open_dnn.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "cuda/context.h"
#include "cuda/rnn.h"
#include "cuda/tuner.h"

namespace ostrich::cuda {

enum class ConvPass : uint8_t { forward, grad_input, grad_weight };

// x [N, H, W, C], w [O, KH, KW, C / groups], y [N, OH, OW, O]: extents as they lie in memory, padded channels included.
struct ConvSpec {
  ConvPass pass;
  int64_t n, c, h, w;  // of x (or dx)
  int64_t o, oh, ow;   // of y (or dy)
  int64_t kh, kw;
  std::array<int64_t, 2> stride, dilation;
  std::array<int64_t, 4> padding;  // top, left, bottom, right
  int64_t groups = 1;
  core::DType in = core::DType::f32, out = core::DType::f32;
  bool bias = false;  // f32 [O], forward only
  bool tf32 = false;
  bool deterministic = false;
  std::string key() const;  // names the spec in the cache, in messages and in lists of specs; parse() reads it back
  static ConvSpec parse(const std::string& key);
};

// forward: a = x, b = w, y; grad_input: a = dy, b = w, y = dx; grad_weight: a = x, b = dy, y = dw.
struct ConvPointers {
  const void *a, *b, *bias;
  void* y;
};

class ConvPlan {
 public:
  virtual ~ConvPlan() = default;
  virtual size_t workspace_bytes() const = 0;
  virtual std::string detail() const = 0;
  virtual void run(CUstream stream, const ConvPointers& pointers, void* workspace) = 0;
};

class Dnn {
 public:
  virtual ~Dnn() = default;
  // Throws ERR_CUDA naming the spec and cuDNN's reason; null where it has none with this bias: ask again without.
  // Candidates are timed by `tuner`.
  virtual std::unique_ptr<ConvPlan> plan(const ConvSpec& spec, Tuner& tuner) = 0;
  // One for each algorithm that takes the layer; none where it has none. Which is fastest only a run can tell.
  virtual std::vector<std::unique_ptr<RnnPlan>> rnn_plans(const RnnSpec& spec) = 0;
  // Names that plans of these have.
  virtual std::vector<std::string> rnn_algorithms() const = 0;
  // Names the library and its version, as choices are kept.
  virtual const std::string& version() const = 0;
};

}  // namespace ostrich::cuda
