// The floor of a training step of AlexNet in one tower: oneDNN's own convolutions and inner products and one momentum sweep
// over the parameters, each at its best of five, on random data: floor BATCH f32|bf16. Pools, relu, dropout, loss and
// reorders are not in it, nor is the gradient of the images. One line of JSON; `null` where the CPU lacks the precision.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using namespace dnnl;
using Type = memory::data_type;
using Tag = memory::format_tag;
using Args = std::unordered_map<int, memory::desc>;

const engine kCpu(engine::kind::cpu, 0);
stream& queue() {
  static stream one(kCpu);
  return one;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Small random numbers: untouched pages would all be the one page of zeros.
memory filled(const memory::desc& desc) {
  memory data(desc, kCpu);
  const bool half = desc.get_data_type() == Type::bf16;
  const size_t count = desc.get_size() / (half ? 2 : 4);
  uint32_t state = 12345;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = (float(state >> 8) / float(1 << 24) - 0.5f) * 0.1f;
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (half)
      static_cast<uint16_t*>(data.get_data_handle())[i] = uint16_t(bits >> 16);
    else
      static_cast<float*>(data.get_data_handle())[i] = value;
  }
  return data;
}

template <class Work>
double best(const Work& work) {
  double least = 1e9;
  for (int run = 0; run < 6; ++run) {
    const double start = seconds();
    work();
    if (run > 0) least = std::min(least, seconds() - start);
  }
  return least;
}

double best_of(const primitive& one, const Args& descs) {
  std::unordered_map<int, memory> args;
  for (const auto& [key, desc] : descs) args.emplace(key, filled(desc));
  return best([&] {
    one.execute(queue(), args);
    queue().wait();
  });
}

// v = 0.9 v + g + decay w; w -= rate v; in bf16 the gradient is bf16 and a copy of w in bf16 is written as well.
double sweep(size_t count, bool half) {
  std::vector<float> w(count, 0.1f), v(count, 0.1f), g(half ? 0 : count, 0.1f);
  std::vector<uint16_t> h(half ? count : 0, 0x3dcc), copy(half ? count : 0, 0);
  return best([&] {
#pragma omp parallel for
    for (size_t i = 0; i < count; ++i) {
      uint32_t bits = half ? uint32_t(h[i]) << 16 : 0;
      float gradient = 0;
      if (half)
        std::memcpy(&gradient, &bits, 4);
      else
        gradient = g[i];
      v[i] = 0.9f * v[i] + gradient + 5e-4f * w[i];
      w[i] -= 1e-9f * v[i];
      if (half) {
        std::memcpy(&bits, &w[i], 4);
        copy[i] = uint16_t(bits >> 16);
      }
    }
  });
}

struct Conv {
  memory::dim in, size, out, kernel, stride, pad;
};

double convolution(const Conv& c, memory::dim batch, Type type) {
  const memory::dim o = (c.size + 2 * c.pad - c.kernel) / c.stride + 1;
  const memory::desc x({batch, c.in, c.size, c.size}, type, Tag::any), y({batch, c.out, o, o}, type, Tag::any);
  const memory::desc w({c.out, c.in, c.kernel, c.kernel}, type, Tag::any);
  const memory::dims s{c.stride, c.stride}, p{c.pad, c.pad};
  const auto direct = algorithm::convolution_direct;
  const convolution_forward::primitive_desc f(kCpu, prop_kind::forward_training, direct, x, w, y, s, p, p);
  const convolution_backward_weights::primitive_desc g(kCpu, direct, x, w, y, s, p, p, f);
  double sum = best_of(convolution_forward(f), {{DNNL_ARG_SRC, f.src_desc()},
                                                {DNNL_ARG_WEIGHTS, f.weights_desc()},
                                                {DNNL_ARG_DST, f.dst_desc()}});
  sum += best_of(convolution_backward_weights(g), {{DNNL_ARG_SRC, g.src_desc()},
                                                   {DNNL_ARG_DIFF_WEIGHTS, g.diff_weights_desc()},
                                                   {DNNL_ARG_DIFF_DST, g.diff_dst_desc()}});
  if (c.in == 3) return sum;
  const convolution_backward_data::primitive_desc d(kCpu, direct, x, w, y, s, p, p, f);
  return sum + best_of(convolution_backward_data(d), {{DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                                                      {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                      {DNNL_ARG_DIFF_DST, d.diff_dst_desc()}});
}

double dense(memory::dim in, memory::dim out, memory::dim batch, Type type) {
  const memory::desc x({batch, in}, type, Tag::any), w({out, in}, type, Tag::any), y({batch, out}, type, Tag::any);
  const inner_product_forward::primitive_desc f(kCpu, prop_kind::forward_training, x, w, y);
  const inner_product_backward_data::primitive_desc d(kCpu, x, w, y, f);
  const inner_product_backward_weights::primitive_desc g(kCpu, x, w, y, f);
  return best_of(inner_product_forward(f), {{DNNL_ARG_SRC, f.src_desc()},
                                            {DNNL_ARG_WEIGHTS, f.weights_desc()},
                                            {DNNL_ARG_DST, f.dst_desc()}}) +
         best_of(inner_product_backward_data(d), {{DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                                                  {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                  {DNNL_ARG_DIFF_DST, d.diff_dst_desc()}}) +
         best_of(inner_product_backward_weights(g), {{DNNL_ARG_SRC, g.src_desc()},
                                                     {DNNL_ARG_DIFF_WEIGHTS, g.diff_weights_desc()},
                                                     {DNNL_ARG_DIFF_DST, g.diff_dst_desc()}});
}

}  // namespace

int main(int argc, char** argv) {
  const memory::dim batch = argc > 1 ? std::atoi(argv[1]) : 128;
  const bool half = argc > 2 && std::string(argv[2]) == "bf16";
  const Type type = half ? Type::bf16 : Type::f32;
  const Conv convs[] = {{3, 224, 64, 11, 4, 2},
                        {64, 27, 192, 5, 1, 2},
                        {192, 13, 384, 3, 1, 1},
                        {384, 13, 256, 3, 1, 1},
                        {256, 13, 256, 3, 1, 1}};
  try {
    double conv_s = 0, dense_s = 0;
    for (const Conv& one : convs) conv_s += convolution(one, batch, type);
    dense_s += dense(9216, 4096, batch, type) + dense(4096, 4096, batch, type) + dense(4096, 1000, batch, type);
    const double update_s = sweep(61100840, half);
    std::printf("{\"step\": %.3f, \"convolutions\": %.3f, \"dense\": %.3f, \"update\": %.3f}\n",
                1e3 * (conv_s + dense_s + update_s), 1e3 * conv_s, 1e3 * dense_s, 1e3 * update_s);
  } catch (const error&) {
    std::printf("null\n");
  }
}
