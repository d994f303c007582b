// Max and average pooling. A gradient is gathered: every element of dx looks up the windows that hold it, so that
// nothing is added by two threads.
#include "cuda/kernels/device.h"
#include "cuda/kernels/pool2d.h"

namespace ostrich::cuda {
namespace {

struct Place {
  int64_t at[4];  // n, c, h, w
};

OSTRICH_DEVICE Place place_of(const PoolArgs& args, int64_t index) {
  Place place;
  for (int i = 3; i >= 0; --i) {
    const int64_t outer = i == 0 ? 0 : quotient(index, args.extents[i]);
    const int64_t at = index - outer * args.extents[i].divisor;
    // Not place.at[args.axes[i]]: an array that is indexed by a variable lies in memory.
    for (int axis = 0; axis < 4; ++axis) {
      if (args.axes[i] == axis) place.at[axis] = at;
    }
    index = outer;
  }
  return place;
}

OSTRICH_DEVICE int64_t offset(const Place& place, const int64_t (&strides)[4]) {
  return place.at[0] * strides[0] + place.at[1] * strides[1] + place.at[2] * strides[2] + place.at[3] * strides[3];
}

OSTRICH_DEVICE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
OSTRICH_DEVICE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Outputs whose window holds h + before: first and last.
OSTRICH_DEVICE int64_t first_window(int64_t h, int kernel, int stride) {
  return h < kernel ? 0 : (h - kernel) / stride + 1;
}
OSTRICH_DEVICE int64_t last_window(int64_t h, int stride, int64_t windows) { return smaller(h / stride, windows - 1); }

template <class Kind>
OSTRICH_DEVICE void max_forward(const PoolArgs& args) {
  using T = typename Kind::Stored;
  const T* in = static_cast<const T*>(args.in);
  T* out = static_cast<T*>(args.out);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of(args, i);
    const int64_t base = place.at[0] * args.in_strides[0] + place.at[1] * args.in_strides[1];
    float best = 0;
    int best_index = -1;
    for (int kh = 0; kh < args.kernel[0]; ++kh) {
      const int64_t h = place.at[2] * args.stride[0] + kh - args.before[0];
      if (uint64_t(h) >= uint64_t(args.in_height)) continue;
      for (int kw = 0; kw < args.kernel[1]; ++kw) {
        const int64_t w = place.at[3] * args.stride[1] + kw - args.before[1];
        if (uint64_t(w) >= uint64_t(args.in_width)) continue;
        const float x = Kind::load(in[base + h * args.in_strides[2] + w * args.in_strides[3]]);
        // NaN wins, and stays.
        if (best_index >= 0 && (best != best || !(x > best || x != x))) continue;
        best = x;
        best_index = kh * args.kernel[1] + kw;
      }
    }
    const bool real = place.at[1] < args.channels;
    out[offset(place, args.out_strides)] = Kind::store(real ? (best_index < 0 ? -__builtin_inff() : best) : 0.0f);
    if (args.index != nullptr) args.index[offset(place, args.index_strides)] = uint8_t(best_index < 0 ? 0 : best_index);
  }
}

template <class Kind>
OSTRICH_DEVICE void max_backward(const PoolArgs& args) {
  using T = typename Kind::Stored;
  const T* in = static_cast<const T*>(args.in);
  T* out = static_cast<T*>(args.out);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of(args, i);
    const int64_t h = place.at[2] + args.before[0], w = place.at[3] + args.before[1];
    Place window = place;
    float sum = 0;
    for (int64_t oh = first_window(h, args.kernel[0], args.stride[0]);
         oh <= last_window(h, args.stride[0], args.in_height); ++oh) {
      for (int64_t ow = first_window(w, args.kernel[1], args.stride[1]);
           ow <= last_window(w, args.stride[1], args.in_width); ++ow) {
        window.at[2] = oh;
        window.at[3] = ow;
        const int64_t here = (h - oh * args.stride[0]) * args.kernel[1] + (w - ow * args.stride[1]);
        if (args.index[offset(window, args.index_strides)] == here) {
          sum += Kind::load(in[offset(window, args.in_strides)]);
        }
      }
    }
    out[offset(place, args.out_strides)] = Kind::store(place.at[1] < args.channels ? sum : 0.0f);
  }
}

// What the sum over window (oh, ow) is divided by.
OSTRICH_DEVICE float divisor(const PoolArgs& args, int64_t oh, int64_t ow) {
  if (args.count_padding) return float(args.kernel[0] * args.kernel[1]);
  const int64_t h = oh * args.stride[0] - args.before[0], w = ow * args.stride[1] - args.before[1];
  const int64_t rows = smaller(h + args.kernel[0], args.height) - larger(h, 0);
  const int64_t columns = smaller(w + args.kernel[1], args.width) - larger(w, 0);
  return float(larger(rows, 1) * larger(columns, 1));
}

template <class Kind>
OSTRICH_DEVICE void average_forward(const PoolArgs& args) {
  using T = typename Kind::Stored;
  const T* in = static_cast<const T*>(args.in);
  T* out = static_cast<T*>(args.out);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of(args, i);
    const int64_t base = place.at[0] * args.in_strides[0] + place.at[1] * args.in_strides[1];
    float sum = 0;
    for (int kh = 0; kh < args.kernel[0]; ++kh) {
      const int64_t h = place.at[2] * args.stride[0] + kh - args.before[0];
      if (uint64_t(h) >= uint64_t(args.in_height)) continue;
      for (int kw = 0; kw < args.kernel[1]; ++kw) {
        const int64_t w = place.at[3] * args.stride[1] + kw - args.before[1];
        if (uint64_t(w) >= uint64_t(args.in_width)) continue;
        sum += Kind::load(in[base + h * args.in_strides[2] + w * args.in_strides[3]]);
      }
    }
    const bool real = place.at[1] < args.channels;
    out[offset(place, args.out_strides)] = Kind::store(real ? sum / divisor(args, place.at[2], place.at[3]) : 0.0f);
  }
}

template <class Kind>
OSTRICH_DEVICE void average_backward(const PoolArgs& args) {
  using T = typename Kind::Stored;
  const T* in = static_cast<const T*>(args.in);
  T* out = static_cast<T*>(args.out);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of(args, i);
    const int64_t h = place.at[2] + args.before[0], w = place.at[3] + args.before[1];
    Place window = place;
    float sum = 0;
    for (int64_t oh = first_window(h, args.kernel[0], args.stride[0]);
         oh <= last_window(h, args.stride[0], args.in_height); ++oh) {
      for (int64_t ow = first_window(w, args.kernel[1], args.stride[1]);
           ow <= last_window(w, args.stride[1], args.in_width); ++ow) {
        window.at[2] = oh;
        window.at[3] = ow;
        sum += Kind::load(in[offset(window, args.in_strides)]) / divisor(args, oh, ow);
      }
    }
    out[offset(place, args.out_strides)] = Kind::store(place.at[1] < args.channels ? sum : 0.0f);
  }
}

}  // namespace

OSTRICH_GLOBAL(max_forward_f32, PoolArgs, 256) { max_forward<F32>(args); }
OSTRICH_GLOBAL(max_forward_bf16, PoolArgs, 256) { max_forward<Bf16>(args); }
OSTRICH_GLOBAL(max_backward_f32, PoolArgs, 256) { max_backward<F32>(args); }
OSTRICH_GLOBAL(max_backward_bf16, PoolArgs, 256) { max_backward<Bf16>(args); }
OSTRICH_GLOBAL(average_forward_f32, PoolArgs, 256) { average_forward<F32>(args); }
OSTRICH_GLOBAL(average_forward_bf16, PoolArgs, 256) { average_forward<Bf16>(args); }
OSTRICH_GLOBAL(average_backward_f32, PoolArgs, 256) { average_backward<F32>(args); }
OSTRICH_GLOBAL(average_backward_bf16, PoolArgs, 256) { average_backward<Bf16>(args); }

}  // namespace ostrich::cuda
