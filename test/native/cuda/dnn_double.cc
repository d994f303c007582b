// Convolutions by plain loops in double precision, channels last. OSTRICH_DOUBLE_CONVS=file: the key of every spec that
// is planned is appended to it, of recurrent layers too.
#include <cstdlib>
#include <fstream>
#include <vector>

#include "cuda/dnn.h"
#include "driver_double.h"
#include "math/convert.h"
#include "rnn_double.h"

namespace ostrich::cuda::host {
namespace {

constexpr size_t kWorkspace = 1000;

std::vector<double> load(const void* data, size_t count, core::DType dtype) {
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = dtype == core::DType::bf16 ? math::bf16_to_float(static_cast<const uint16_t*>(data)[i])
                                           : static_cast<const float*>(data)[i];
  }
  return values;
}

struct Tensors {
  std::vector<double> x, w, y;
};

// Adds every product x w to y, dy w to dx, or dy x to dw.
void accumulate(const ConvSpec& s, Tensors& t) {
  const int64_t per_group = s.c / s.groups, outputs = s.o / s.groups;
  for (int64_t at = 0; at < s.n * s.oh * s.ow * s.o; ++at) {
    const int64_t o = at % s.o, ow = at / s.o % s.ow, oh = at / s.o / s.ow % s.oh, n = at / s.o / s.ow / s.oh;
    for (int64_t kh = 0; kh < s.kh; ++kh) {
      const int64_t h = oh * s.stride[0] + kh * s.dilation[0] - s.padding[0];
      if (h < 0 || h >= s.h) continue;
      for (int64_t kw = 0; kw < s.kw; ++kw) {
        const int64_t w = ow * s.stride[1] + kw * s.dilation[1] - s.padding[1];
        if (w < 0 || w >= s.w) continue;
        const size_t xi = size_t(((n * s.h + h) * s.w + w) * s.c + o / outputs * per_group);
        const size_t wi = size_t(((o * s.kh + kh) * s.kw + kw) * per_group);
        for (size_t c = 0; c < size_t(per_group); ++c) {
          double &x = t.x[xi + c], &weight = t.w[wi + c], &y = t.y[size_t(at)];
          if (s.pass == ConvPass::forward) y += x * weight;
          if (s.pass == ConvPass::grad_input) x += y * weight;
          if (s.pass == ConvPass::grad_weight) weight += y * x;
        }
      }
    }
  }
}

std::string convolve(const ConvSpec& s, const ConvPointers& p, void* workspace) {
  const size_t x = size_t(s.n * s.c * s.h * s.w), w = size_t(s.o * s.kh * s.kw * (s.c / s.groups)),
               y = size_t(s.n * s.oh * s.ow * s.o);
  const bool forward = s.pass == ConvPass::forward, to_input = s.pass == ConvPass::grad_input;
  const size_t a = forward ? x : y, b = s.pass == ConvPass::grad_weight ? y : w;
  const size_t first = s.pass == ConvPass::grad_weight ? x : a, result = forward ? y : to_input ? x : w;
  const size_t in = core::size_of(s.in), out = core::size_of(s.out);
  std::string wrong = outside(p.a, first * in, "a");
  if (wrong.empty()) wrong = outside(p.b, b * in, "b");
  if (wrong.empty()) wrong = outside(p.y, result * out, "y");
  if (wrong.empty() && s.bias) wrong = outside(p.bias, size_t(s.o) * 4, "the bias");
  if (wrong.empty()) wrong = outside(workspace, kWorkspace, "the workspace");
  if (!wrong.empty()) return wrong;
  poison(workspace, kWorkspace);
  Tensors t;
  t.x = to_input ? std::vector<double>(x) : load(p.a, x, s.in);
  t.w = s.pass == ConvPass::grad_weight ? std::vector<double>(w) : load(p.b, w, s.in);
  t.y = forward ? std::vector<double>(y) : load(to_input ? p.a : p.b, y, s.in);
  accumulate(s, t);
  const std::vector<double>& values = forward ? t.y : to_input ? t.x : t.w;
  for (size_t i = 0; i < result; ++i) {
    double value = values[i];
    if (s.bias) value += static_cast<const float*>(p.bias)[i % size_t(s.o)];
    if (s.out == core::DType::bf16) {
      static_cast<uint16_t*>(p.y)[i] = math::float_to_bf16(float(value));
    } else {
      static_cast<float*>(p.y)[i] = float(value);
    }
  }
  return "";
}

class PlanDouble : public ConvPlan {
 public:
  PlanDouble(Context& context, const ConvSpec& spec) : context_(context), spec_(spec) {}
  size_t workspace_bytes() const override { return kWorkspace; }
  std::string detail() const override { return "double"; }
  void run(CUstream stream, const ConvPointers& pointers, void* workspace) override {
    context_.check(enqueue(stream, "convolution",
                           [spec = spec_, pointers, workspace] { return convolve(spec, pointers, workspace); }),
                   "convolution");
  }

 private:
  Context& context_;
  ConvSpec spec_;
};

class DnnDouble : public Dnn {
 public:
  explicit DnnDouble(Context& context) : context_(context) {}
  std::unique_ptr<ConvPlan> plan(const ConvSpec& spec, Tuner&) override {
    if (const char* path = std::getenv("OSTRICH_DOUBLE_CONVS")) {
      std::ofstream(path, std::ios::app) << spec.key() << "\n";
    }
    return std::make_unique<PlanDouble>(context_, spec);
  }
  std::vector<std::unique_ptr<RnnPlan>> rnn_plans(const RnnSpec& spec) override {
    return host::rnn_plans(context_, spec);
  }
  std::vector<std::string> rnn_algorithms() const override { return {host::kRnnAlgorithm}; }
  const std::string& version() const override { return version_; }

 private:
  Context& context_;
  const std::string version_ = "cudnn-double";
};

}  // namespace

std::unique_ptr<Dnn> open_dnn(Context& context) { return std::make_unique<DnnDouble>(context); }

}  // namespace ostrich::cuda::host
