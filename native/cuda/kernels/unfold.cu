// Windows as rows, and their sums. Every element of the result is gathered by one thread.
#include "cuda/kernels/device.h"
#include "cuda/kernels/unfold.h"

namespace ostrich::cuda {
namespace {

// Takes the innermost of mixed digits off `index`.
OSTRICH_DEVICE int64_t take(int64_t& index, const Divisor& extent) {
  const int64_t outer = quotient(index, extent), digit = index - outer * extent.divisor;
  index = outer;
  return digit;
}

template <class T>
OSTRICH_DEVICE void unfold(const UnfoldArgs& args) {
  const T* x = static_cast<const T*>(args.in);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    int64_t rest = i;
    const int64_t kw = take(rest, args.kernel_w), kh = take(rest, args.kernel_h), c = take(rest, args.channels),
                  n = take(rest, args.images), ow = take(rest, args.out_width);
    const int64_t h = rest * args.stride[0] - args.before[0] + kh, w = ow * args.stride[1] - args.before[1] + kw;
    const bool inside = uint64_t(h) < uint64_t(args.height.divisor) && uint64_t(w) < uint64_t(args.width.divisor);
    const int64_t place = ((n * args.channels.divisor + c) * args.height.divisor + h) * args.width.divisor + w;
    static_cast<T*>(args.out)[i] = inside ? x[place] : T(0);
  }
}

template <class Kind>
OSTRICH_DEVICE void fold(const UnfoldArgs& args) {
  using T = typename Kind::Stored;
  const T* rows = static_cast<const T*>(args.in);
  const int64_t kernel_h = args.kernel_h.divisor, kernel_w = args.kernel_w.divisor, taps = kernel_h * kernel_w,
                row = args.channels.divisor * taps;
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    int64_t n = i;
    const int64_t w = take(n, args.width) + args.before[1], h = take(n, args.height) + args.before[0],
                  c = take(n, args.channels);
    float sum = 0;
    for (int64_t kh = h % args.stride[0]; kh < kernel_h && kh <= h; kh += args.stride[0]) {
      const int64_t oh = (h - kh) / args.stride[0];
      if (oh >= args.out_height) continue;
      for (int64_t kw = w % args.stride[1]; kw < kernel_w && kw <= w; kw += args.stride[1]) {
        const int64_t ow = (w - kw) / args.stride[1];
        if (ow >= args.out_width.divisor) continue;
        const int64_t place = oh * args.out_width.divisor + ow;
        sum += Kind::load(rows[(place * args.images.divisor + n) * row + c * taps + kh * kernel_w + kw]);
      }
    }
    static_cast<T*>(args.out)[i] = Kind::store(sum);
  }
}

}  // namespace

OSTRICH_GLOBAL(unfold_f32, UnfoldArgs, 256) { unfold<float>(args); }
OSTRICH_GLOBAL(unfold_bf16, UnfoldArgs, 256) { unfold<uint16_t>(args); }
OSTRICH_GLOBAL(fold_f32, UnfoldArgs, 256) { fold<F32>(args); }
OSTRICH_GLOBAL(fold_bf16, UnfoldArgs, 256) { fold<Bf16>(args); }

}  // namespace ostrich::cuda
