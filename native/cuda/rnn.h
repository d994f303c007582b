// A recurrent layer as cuDNN has it, the product with its inputs, the bias and the loop over time in one, behind a
// narrow interface: by cuDNN's RNN functions (rnn_cudnn.cc), or by whatever else is behind Dnn.
#pragma once

#include <string>
#include <vector>

#include "core/dtype.h"
#include "cuda/context.h"

namespace ostrich::cuda {

enum class Cell : uint8_t { lstm, tanh };

// x [T, N, D] -> y [T, N, H] from h0 [N, H] and, of an LSTM, c0 [N, H]: all of `dtype` and row-major, as are gradients.
struct RnnSpec {
  Cell cell;
  int64_t t, n, d, h;
  core::DType dtype = core::DType::f32;
  bool tf32 = false;
  bool training = false;  // gradients are asked for after each forward
  int64_t gates() const { return cell == Cell::lstm ? 4 : 1; }
  std::string key() const;  // names the spec in the cache, in messages and in lists of specs; parse() reads it back
  static RnnSpec parse(const std::string& key);
};

// Where a gate's matrices [H, D] and [H, H] (rows of outputs) and its bias [H] lie: bytes from the start of the
// weights. What lies between them must be zeros: a second bias, which we do not have.
struct GatePlace {
  size_t input, recurrent, bias;
};

// Null: not wanted, or not there. The weights, their gradients and the reserve lie in device memory of the sizes that
// the plan tells; the reserve keeps what a forward leaves for its backward.
struct RnnPointers {
  const void *x, *h0, *c0, *weights;
  void *y, *c_last, *reserve, *workspace;
  const void* dy;                   // these in backward alone
  void *dx, *dh0, *dc0, *dweights;  // dweights begin as zeros
};

class RnnPlan {
 public:
  virtual ~RnnPlan() = default;
  virtual size_t weight_bytes() const = 0;
  virtual size_t reserve_bytes() const = 0;
  virtual size_t workspace_bytes() const = 0;
  // In the order of the op's gates: i, f, g, o of an LSTM.
  virtual const std::vector<GatePlace>& places() const = 0;
  virtual const std::string& name() const = 0;
  virtual void forward(CUstream stream, const RnnPointers& pointers) = 0;
  virtual void backward(CUstream stream, const RnnPointers& pointers) = 0;
};

}  // namespace ostrich::cuda
