// See rnn_cudnn.h. All sequences are of one length, so that packed data lies as [T, N, D] does. There are always two
// biases, of which the second stays zero: the persistent algorithms take no layer with fewer.
#include "cuda/rnn_cudnn.h"

#include <cudnn.h>
#include <dlfcn.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace ostrich::cuda {

namespace {

struct Functions {
  explicit Functions(void* library) {
#define OSTRICH_CUDNN(name)                                       \
  name = reinterpret_cast<decltype(name)>(dlsym(library, #name)); \
  if (name == nullptr) core::fail("ERR_CUDA", "cuda: expected cuDNN to have ", #name, ", got none");
#include "cuda/cudnn_rnn.def"
  }
  void check(cudnnStatus_t status, const char* call) const {
    if (status == CUDNN_STATUS_SUCCESS) return;
    core::fail("ERR_CUDA", "cuda: ", call, " failed with ", cudnnGetErrorString(status));
  }
#define OSTRICH_CUDNN(name) decltype(&::name) name = nullptr;
#include "cuda/cudnn_rnn.def"
};

}  // namespace

class CudnnRnn : public Functions {
 public:
  CudnnRnn(std::shared_ptr<Context> context, void* library) : Functions(library), context_(std::move(context)) {
    context_->enter();
    check(cudnnCreate(&handle_), "cudnnCreate");
  }
  ~CudnnRnn() {
    try {
      context_->enter();
      cudnnDestroy(handle_);
    } catch (const std::exception&) {
      // The device is lost, and the handle with it.
    }
  }
  CudnnRnn(const CudnnRnn&) = delete;
  CudnnRnn& operator=(const CudnnRnn&) = delete;

  cudnnHandle_t handle() const { return handle_; }
  Context& context() const { return *context_; }

 private:
  std::shared_ptr<Context> context_;
  cudnnHandle_t handle_ = nullptr;
};

namespace {

constexpr int kRecurrent = 4;  // of an LSTM, linear layers 0 to 3 are of the input, 4 to 7 of the state before

struct Algorithm {
  cudnnRNNAlgo_t algorithm;
  const char* name;
};
constexpr Algorithm kAlgorithms[] = {{CUDNN_RNN_ALGO_STANDARD, "cudnn-standard"},
                                     {CUDNN_RNN_ALGO_PERSIST_STATIC, "cudnn-persistent"},
                                     {CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "cudnn-persistent-small"}};

cudnnDataType_t type_of(core::DType dtype) {
  return dtype == core::DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

cudnnRNNMode_t mode_of(Cell cell) { return cell == Cell::lstm ? CUDNN_LSTM : CUDNN_RNN_TANH; }

cudnnMathType_t math_of(const RnnSpec& spec) {
  if (spec.dtype == core::DType::bf16) return CUDNN_TENSOR_OP_MATH;
  return spec.tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

// cuDNN counts in int, elements of a sequence too.
bool counts_in_int(const RnnSpec& spec) { return spec.t * spec.n * std::max(spec.d, spec.gates() * spec.h) <= INT_MAX; }

// What cuDNN has to be told of a layer, all of it before there is a device.
class Descriptors {
 public:
  Descriptors(const Functions& cudnn, const RnnSpec& spec, cudnnRNNAlgo_t algorithm) : cudnn_(cudnn) {
    try {
      cudnn.check(cudnn.cudnnCreateDropoutDescriptor(&dropout), "cudnnCreateDropoutDescriptor");
      cudnn.check(cudnn.cudnnCreateRNNDescriptor(&layer), "cudnnCreateRNNDescriptor");
      for (auto* data : {&x, &y}) cudnn.check(cudnn.cudnnCreateRNNDataDescriptor(data), "cudnnCreateRNNDataDescriptor");
      for (auto* tensor : {&state, &matrix, &bias}) {
        cudnn.check(cudnn.cudnnCreateTensorDescriptor(tensor), "cudnnCreateTensorDescriptor");
      }
      describe(spec, algorithm);
    } catch (...) {
      destroy();
      throw;
    }
  }
  ~Descriptors() { destroy(); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  cudnnDropoutDescriptor_t dropout = nullptr;
  cudnnRNNDescriptor_t layer = nullptr;
  cudnnRNNDataDescriptor_t x = nullptr, y = nullptr;
  cudnnTensorDescriptor_t state = nullptr, matrix = nullptr, bias = nullptr;

 private:
  void destroy() {
    for (auto* tensor : {state, matrix, bias}) {
      if (tensor != nullptr) cudnn_.cudnnDestroyTensorDescriptor(tensor);
    }
    for (auto* data : {x, y}) {
      if (data != nullptr) cudnn_.cudnnDestroyRNNDataDescriptor(data);
    }
    if (layer != nullptr) cudnn_.cudnnDestroyRNNDescriptor(layer);
    if (dropout != nullptr) cudnn_.cudnnDestroyDropoutDescriptor(dropout);
  }

  void describe(const RnnSpec& spec, cudnnRNNAlgo_t algorithm) {
    const cudnnDataType_t type = type_of(spec.dtype);
    cudnn_.check(cudnn_.cudnnSetRNNDescriptor_v8(layer, algorithm, mode_of(spec.cell), CUDNN_RNN_DOUBLE_BIAS,
                                                 CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, type, CUDNN_DATA_FLOAT,
                                                 math_of(spec), int32_t(spec.d), int32_t(spec.h), int32_t(spec.h), 1,
                                                 dropout, CUDNN_RNN_PADDED_IO_DISABLED),
                 "cudnnSetRNNDescriptor_v8");
    const std::vector<int> lengths(size_t(spec.n), int(spec.t));
    const auto describe_data = [&](cudnnRNNDataDescriptor_t data, int64_t width) {
      cudnn_.check(cudnn_.cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, int(spec.t),
                                                    int(spec.n), int(width), lengths.data(), nullptr),
                   "cudnnSetRNNDataDescriptor");
    };
    describe_data(x, spec.d);
    describe_data(y, spec.h);
    const int extents[] = {1, int(spec.n), int(spec.h)}, strides[] = {int(spec.n * spec.h), int(spec.h), 1};
    cudnn_.check(cudnn_.cudnnSetTensorNdDescriptor(state, type, 3, extents, strides), "cudnnSetTensorNdDescriptor");
  }

  const Functions& cudnn_;
};

class CudnnRnnPlan : public RnnPlan {
 public:
  CudnnRnnPlan(std::shared_ptr<CudnnRnn> rnn, const RnnSpec& spec, const Algorithm& algorithm)
      : rnn_(std::move(rnn)), spec_(spec), name_(algorithm.name), descriptors_(*rnn_, spec, algorithm.algorithm) {
    const cudnnHandle_t handle = rnn_->handle();
    rnn_->check(rnn_->cudnnSetDropoutDescriptor(descriptors_.dropout, handle, 0.0f, nullptr, 0, 0),
                "cudnnSetDropoutDescriptor");
    rnn_->check(rnn_->cudnnGetRNNWeightSpaceSize(handle, descriptors_.layer, &weight_bytes_),
                "cudnnGetRNNWeightSpaceSize");
    rnn_->check(rnn_->cudnnGetRNNTempSpaceSizes(handle, descriptors_.layer, mode(), descriptors_.x, &workspace_bytes_,
                                                &reserve_bytes_),
                "cudnnGetRNNTempSpaceSizes");
    find_places();
  }

  size_t weight_bytes() const override { return weight_bytes_; }
  size_t reserve_bytes() const override { return spec_.training ? reserve_bytes_ : 0; }
  size_t workspace_bytes() const override { return workspace_bytes_; }
  const std::vector<GatePlace>& places() const override { return places_; }
  const std::string& name() const override { return name_; }

  void forward(CUstream stream, const RnnPointers& p) override {
    const Descriptors& d = descriptors_;
    rnn_->check(rnn_->cudnnSetStream(rnn_->handle(), stream), "cudnnSetStream");
    rnn_->check(rnn_->cudnnRNNForward(rnn_->handle(), d.layer, mode(), nullptr, d.x, p.x, d.y, p.y, d.state, p.h0,
                                      nullptr, d.state, p.c0, p.c_last, weight_bytes_, p.weights, workspace_bytes_,
                                      p.workspace, reserve_bytes(), p.reserve),
                "cudnnRNNForward");
  }

  void backward(CUstream stream, const RnnPointers& p) override {
    const Descriptors& d = descriptors_;
    const cudnnHandle_t handle = rnn_->handle();
    rnn_->check(rnn_->cudnnSetStream(handle, stream), "cudnnSetStream");
    rnn_->check(rnn_->cudnnRNNBackwardData_v8(handle, d.layer, nullptr, d.y, p.y, p.dy, d.x, p.dx, d.state, p.h0,
                                              nullptr, p.dh0, d.state, p.c0, nullptr, p.dc0, weight_bytes_, p.weights,
                                              workspace_bytes_, p.workspace, reserve_bytes_, p.reserve),
                "cudnnRNNBackwardData_v8");
    rnn_->check(rnn_->cudnnRNNBackwardWeights_v8(handle, d.layer, CUDNN_WGRAD_MODE_ADD, nullptr, d.x, p.x, d.state,
                                                 p.h0, d.y, p.y, weight_bytes_, p.dweights, workspace_bytes_,
                                                 p.workspace, reserve_bytes_, p.reserve),
                "cudnnRNNBackwardWeights_v8");
  }

 private:
  cudnnForwardMode_t mode() const { return spec_.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE; }

  // cuDNN adds its places to the address that it is given; only their distance from it is of use.
  void find_places() {
    char* const start = reinterpret_cast<char*>(uintptr_t(1) << 32);
    const auto place = [&](int linear, bool of_bias) {
      void *matrix = nullptr, *bias = nullptr;
      rnn_->check(rnn_->cudnnGetRNNWeightParams(rnn_->handle(), descriptors_.layer, 0, weight_bytes_, start, linear,
                                                descriptors_.matrix, &matrix, descriptors_.bias, &bias),
                  "cudnnGetRNNWeightParams");
      const void* found = of_bias ? bias : matrix;
      OSTRICH_CHECK(found != nullptr);
      return size_t(static_cast<const char*>(found) - start);
    };
    const int gates = int(spec_.gates());
    for (int gate = 0; gate < gates; ++gate) {
      const int recurrent = (gates == 4 ? kRecurrent : 1) + gate;
      places_.push_back({place(gate, false), place(recurrent, false), place(gate, true)});
    }
  }

  std::shared_ptr<CudnnRnn> rnn_;
  RnnSpec spec_;
  std::string name_;
  Descriptors descriptors_;
  size_t weight_bytes_ = 0, workspace_bytes_ = 0, reserve_bytes_ = 0;
  std::vector<GatePlace> places_;
};

}  // namespace

std::shared_ptr<CudnnRnn> open_cudnn_rnn(std::shared_ptr<Context> context, void* library) {
  // cuDNN ends the process when it misses this part, which was opened with the others if it is there.
  void* part = dlopen("libcudnn_adv.so.9", RTLD_LAZY | RTLD_NOLOAD);
  if (part == nullptr) core::fail("ERR_CUDA", "cuda: expected libcudnn_adv.so.9 beside cuDNN, got none");
  return std::make_shared<CudnnRnn>(std::move(context), library);
}

std::vector<std::unique_ptr<RnnPlan>> cudnn_rnn_plans(const std::shared_ptr<CudnnRnn>& rnn, const RnnSpec& spec) {
  rnn->context().enter();
  std::vector<std::unique_ptr<RnnPlan>> plans;
  if (!counts_in_int(spec)) return plans;
  for (const Algorithm& algorithm : kAlgorithms) {
    try {
      plans.push_back(std::make_unique<CudnnRnnPlan>(rnn, spec, algorithm));
    } catch (const core::Error&) {
      // An algorithm that does not take this layer; a lost device is the end.
      if (rnn->context().lost()) throw;
    }
  }
  return plans;
}

std::vector<std::string> cudnn_rnn_algorithms() {
  std::vector<std::string> names;
  for (const Algorithm& algorithm : kAlgorithms) names.emplace_back(algorithm.name);
  return names;
}

std::string describe_rnn_without_device(void* library, const RnnSpec& spec) {
  const Functions cudnn(library);
  std::string accepted;
  for (const Algorithm& algorithm : kAlgorithms) {
    try {
      const Descriptors described(cudnn, spec, algorithm.algorithm);
      accepted += (accepted.empty() ? "" : ", ") + std::string(algorithm.name);
    } catch (const core::Error&) {
      // An algorithm that does not take this layer.
    }
  }
  if (accepted.empty() || !counts_in_int(spec))
    core::fail("ERR_CUDA", "cuda: ", spec.key(), ": no algorithm of cuDNN's");
  return accepted;
}

}  // namespace ostrich::cuda
