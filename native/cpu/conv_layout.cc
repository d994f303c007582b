// oneDNN's `any` prefers layouts in blocks of channels on CPUs without AMX, although its channels-last kernels are up
// to 1.6 times faster on some of them (docs/decisions/0007). No rule by name of CPU holds for all, so one small
// convolution is timed both ways. One thread and the best of several short runs: another process may take the cores
// meanwhile, and the answer must be the same whenever it is asked, since the kernels decide the last bits of a result.
#include "cpu/conv_layout.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "cpu/onednn.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using dnnl::memory;
using Forward = dnnl::convolution_forward;

constexpr double kMargin = 1.15;  // below this, oneDNN's choice stands
constexpr int kRuns = 12;

memory filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory data(desc, engine);
  std::memset(data.get_data_handle(), 0x3c, desc.get_size());  // small positive numbers in f32 and in bf16
  return data;
}

// Best seconds of one forward convolution, 64 to 64 channels, 3x3, on images [2, 64, 14, 14].
double seconds(DType dtype, memory::format_tag tag) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc images({2, 64, 14, 14}, dnnl_type(dtype), tag), weights = any_desc(dtype, {64, 64, 3, 3});
  const Forward::primitive_desc description(engine, dnnl::prop_kind::forward_training,
                                            dnnl::algorithm::convolution_direct, images, weights, images, {1, 1},
                                            {1, 1}, {1, 1});
  const Forward convolution(description);
  const std::unordered_map<int, memory> args = {
      {DNNL_ARG_SRC, filled(description.src_desc(), engine)},
      {DNNL_ARG_WEIGHTS, filled(description.weights_desc(), engine)},
      {DNNL_ARG_DST, filled(description.dst_desc(), engine)},
  };
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    convolution.execute(stream, args);
    stream.wait();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

bool measure(DType dtype) {
  // Below AVX-512 oneDNN has no brgemm convolutions, and its others are alike in speed: timing would toss a coin.
  if (dnnl::get_effective_cpu_isa() < dnnl::cpu_isa::avx512_core) return false;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const double any = seconds(dtype, memory::format_tag::any), last = seconds(dtype, memory::format_tag::nhwc);
  omp_set_num_threads(threads);
  return any > kMargin * last;
}

}  // namespace

bool channels_last_is_faster(DType dtype) {
  static const bool f32 = measure(DType::f32);
  if (dtype == DType::f32) return f32;
  static const bool bf16 = measure(DType::bf16);
  return bf16;
}

}  // namespace ostrich::cpu
