// Max and average pooling. A gradient is gathered: every element of dx looks up the windows that hold it, so that
// nothing is added by two threads. A thread handles kWidth neighbouring channels, whose windows are the same.
#include "cuda/kernels/device.h"
#include "cuda/kernels/pool2d.h"

namespace ostrich::cuda {
namespace {

template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T item[kWidth];
};

struct Place {
  int n, c, h, w;
};

template <int kWidth>
OSTRICH_DEVICE Place place_of(const PoolArgs& args, int64_t index) {
  int at[4] = {0, 0, 0, 0};
  for (int i = 3; i >= 0; --i) {
    const int64_t outer = i == 0 ? 0 : quotient(index, args.extents[i]);
    const int here = int(index - outer * args.extents[i].divisor);
    // Not at[args.axes[i]]: an array that is indexed by a variable lies in memory.
    for (int axis = 0; axis < 4; ++axis) {
      if (args.axes[i] == axis) at[axis] = here;
    }
    index = outer;
  }
  return {at[0], at[1] * kWidth, at[2], at[3]};
}

OSTRICH_DEVICE int64_t offset(const Place& place, const int64_t (&strides)[4]) {
  return place.n * strides[0] + place.c * strides[1] + place.h * strides[2] + place.w * strides[3];
}

OSTRICH_DEVICE int larger(int a, int b) { return a > b ? a : b; }
OSTRICH_DEVICE int smaller(int a, int b) { return a < b ? a : b; }

// From `first` to before `end`.
struct Range {
  int first, end;
};

// The part of a window that starts at `at` which lies inside [0, extent).
OSTRICH_DEVICE Range inside(int at, int kernel, int extent) { return {larger(-at, 0), smaller(kernel, extent - at)}; }

// The windows that hold h, which counts from the first padded place on.
OSTRICH_DEVICE Range windows(const PoolArgs& args, int axis, int h, int count) {
  const int past = h - args.kernel[axis];
  const int first = past < 0 ? 0 : int(quotient(past, args.by_stride[axis])) + 1;
  return {first, smaller(int(quotient(h, args.by_stride[axis])), count - 1) + 1};
}

template <class Kind, int kWidth>
OSTRICH_DEVICE void store(const PoolArgs& args, const Place& place, const float (&values)[kWidth]) {
  using T = typename Kind::Stored;
  Pack<T, kWidth> pack;
  for (int e = 0; e < kWidth; ++e) pack.item[e] = Kind::store(place.c + e < args.channels ? values[e] : 0.0f);
  *reinterpret_cast<Pack<T, kWidth>*>(static_cast<T*>(args.out) + offset(place, args.out_strides)) = pack;
}

template <class Kind, int kWidth>
OSTRICH_DEVICE Pack<typename Kind::Stored, kWidth> load(const PoolArgs& args, int64_t at) {
  using T = typename Kind::Stored;
  return *reinterpret_cast<const Pack<T, kWidth>*>(static_cast<const T*>(args.in) + at);
}

template <class Kind, int kWidth>
OSTRICH_DEVICE void max_forward(const PoolArgs& args) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of<kWidth>(args, i);
    const int top = place.h * args.stride[0] - args.before[0], left = place.w * args.stride[1] - args.before[1];
    const Range rows = inside(top, args.kernel[0], args.in_height),
                columns = inside(left, args.kernel[1], args.in_width);
    const int64_t corner = offset({place.n, place.c, top, left}, args.in_strides);
    float best[kWidth];
    int best_index[kWidth];
    for (int e = 0; e < kWidth; ++e) best[e] = -__builtin_inff(), best_index[e] = -1;
    for (int kh = rows.first; kh < rows.end; ++kh) {
      for (int kw = columns.first; kw < columns.end; ++kw) {
        const auto pack = load<Kind, kWidth>(args, corner + kh * args.in_strides[2] + kw * args.in_strides[3]);
        for (int e = 0; e < kWidth; ++e) {
          const float x = Kind::load(pack.item[e]);
          // NaN wins, and stays.
          if (best_index[e] >= 0 && (best[e] != best[e] || !(x > best[e] || x != x))) continue;
          best[e] = x;
          best_index[e] = kh * args.kernel[1] + kw;
        }
      }
    }
    store<Kind, kWidth>(args, place, best);
    if (args.index == nullptr) continue;
    Pack<uint8_t, kWidth> indices;
    for (int e = 0; e < kWidth; ++e) indices.item[e] = uint8_t(larger(best_index[e], 0));
    *reinterpret_cast<Pack<uint8_t, kWidth>*>(args.index + offset(place, args.index_strides)) = indices;
  }
}

template <class Kind, int kWidth>
OSTRICH_DEVICE void max_backward(const PoolArgs& args) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of<kWidth>(args, i);
    const int h = place.h + args.before[0], w = place.w + args.before[1];
    const Range rows = windows(args, 0, h, args.in_height), columns = windows(args, 1, w, args.in_width);
    float sum[kWidth];
    for (int e = 0; e < kWidth; ++e) sum[e] = 0;
    for (int oh = rows.first; oh < rows.end; ++oh) {
      for (int ow = columns.first; ow < columns.end; ++ow) {
        const Place window{place.n, place.c, oh, ow};
        const int here = (h - oh * args.stride[0]) * args.kernel[1] + (w - ow * args.stride[1]);
        const auto index =
            *reinterpret_cast<const Pack<uint8_t, kWidth>*>(args.index + offset(window, args.index_strides));
        const auto dy = load<Kind, kWidth>(args, offset(window, args.in_strides));
        for (int e = 0; e < kWidth; ++e) sum[e] += index.item[e] == here ? Kind::load(dy.item[e]) : 0.0f;
      }
    }
    store<Kind, kWidth>(args, place, sum);
  }
}

// What the sum over window (oh, ow) is divided by.
OSTRICH_DEVICE float divisor(const PoolArgs& args, int oh, int ow) {
  if (args.count_padding) return float(args.kernel[0] * args.kernel[1]);
  const Range rows = inside(oh * args.stride[0] - args.before[0], args.kernel[0], args.height);
  const Range columns = inside(ow * args.stride[1] - args.before[1], args.kernel[1], args.width);
  return float(larger(rows.end - rows.first, 1) * larger(columns.end - columns.first, 1));
}

template <class Kind, int kWidth>
OSTRICH_DEVICE void average_forward(const PoolArgs& args) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of<kWidth>(args, i);
    const int top = place.h * args.stride[0] - args.before[0], left = place.w * args.stride[1] - args.before[1];
    const Range rows = inside(top, args.kernel[0], args.in_height),
                columns = inside(left, args.kernel[1], args.in_width);
    const int64_t corner = offset({place.n, place.c, top, left}, args.in_strides);
    float sum[kWidth];
    for (int e = 0; e < kWidth; ++e) sum[e] = 0;
    for (int kh = rows.first; kh < rows.end; ++kh) {
      for (int kw = columns.first; kw < columns.end; ++kw) {
        const auto pack = load<Kind, kWidth>(args, corner + kh * args.in_strides[2] + kw * args.in_strides[3]);
        for (int e = 0; e < kWidth; ++e) sum[e] += Kind::load(pack.item[e]);
      }
    }
    const float by = divisor(args, place.h, place.w);
    for (int e = 0; e < kWidth; ++e) sum[e] /= by;
    store<Kind, kWidth>(args, place, sum);
  }
}

template <class Kind, int kWidth>
OSTRICH_DEVICE void average_backward(const PoolArgs& args) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const Place place = place_of<kWidth>(args, i);
    const int h = place.h + args.before[0], w = place.w + args.before[1];
    const Range rows = windows(args, 0, h, args.in_height), columns = windows(args, 1, w, args.in_width);
    float sum[kWidth];
    for (int e = 0; e < kWidth; ++e) sum[e] = 0;
    for (int oh = rows.first; oh < rows.end; ++oh) {
      for (int ow = columns.first; ow < columns.end; ++ow) {
        const auto dy = load<Kind, kWidth>(args, offset({place.n, place.c, oh, ow}, args.in_strides));
        const float by = divisor(args, oh, ow);
        for (int e = 0; e < kWidth; ++e) sum[e] += Kind::load(dy.item[e]) / by;
      }
    }
    store<Kind, kWidth>(args, place, sum);
  }
}

}  // namespace

#define OSTRICH_POOL(name)                                                           \
  OSTRICH_GLOBAL(name##_f32, PoolArgs, 256) { name<F32, 1>(args); }                  \
  OSTRICH_GLOBAL(name##_bf16, PoolArgs, 256) { name<Bf16, 1>(args); }                \
  OSTRICH_GLOBAL(name##_f32_wide, PoolArgs, 256) { name<F32, kPoolWidthF32>(args); } \
  OSTRICH_GLOBAL(name##_bf16_wide, PoolArgs, 256) { name<Bf16, kPoolWidthBf16>(args); }
OSTRICH_POOL(max_forward)
OSTRICH_POOL(max_backward)
OSTRICH_POOL(average_forward)
OSTRICH_POOL(average_backward)

}  // namespace ostrich::cuda
