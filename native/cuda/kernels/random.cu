// Philox draws by logical element: four consecutive elements a thread, which are one block of the generator.
#include "cuda/kernels/philox.h"
#include "cuda/kernels/random.h"

namespace ostrich::cuda {
namespace {

constexpr float kUnit = 5.9604644775390625e-8f;  // 2^-24

OSTRICH_DEVICE Words draw(const RandomArgs& args, int64_t block) {
  return philox(uint32_t(block), uint32_t(uint64_t(block) >> 32), args.stream, args.step[0], args.seed);
}

// Calls body(i, words) for every block of four elements from element i on.
template <class Body>
OSTRICH_DEVICE void for_blocks(const RandomArgs& args, Body body) {
  for (int64_t block = first_item(); block * 4 < args.count; block += item_stride()) {
    body(block * 4, draw(args, block));
  }
}

template <class Kind>
OSTRICH_DEVICE void drop(const RandomArgs& args) {
  using T = typename Kind::Stored;
  const T* x = static_cast<const T*>(args.x);
  T* y = static_cast<T*>(args.y);
  for_blocks(args, [&](int64_t first, const Words& words) {
    for (int j = 0; j < 4; ++j) {
      if (first + j >= args.count) break;
      const float kept = Kind::load(x[first + j]) * args.a;
      y[first + j] = Kind::store((words.word[j] >> 8) >= args.threshold ? kept : 0.0f);
    }
  });
}

}  // namespace

OSTRICH_GLOBAL(dropout_f32, RandomArgs, 256) { drop<F32>(args); }
OSTRICH_GLOBAL(dropout_bf16, RandomArgs, 256) { drop<Bf16>(args); }

OSTRICH_GLOBAL(uniform, RandomArgs, 256) {
  float* y = static_cast<float*>(args.y);
  const float width = args.b - args.a, last = math::below(args.b, args.a);
  for_blocks(args, [&](int64_t first, const Words& words) {
    for (int j = 0; j < 4; ++j) {
      const float value = args.a + float(int32_t(words.word[j] >> 8)) * kUnit * width;
      if (first + j < args.count) y[first + j] = value < last ? value : last;
    }
  });
}

OSTRICH_GLOBAL(normal, RandomArgs, 256) {
  float* y = static_cast<float*>(args.y);
  for_blocks(args, [&](int64_t first, const Words& words) {
    for (int j = 0; j < 4; j += 2) {
      float cosine, sine;
      math::cos_sin_turns(float(int32_t(words.word[j + 1] >> 8)) * kUnit, &cosine, &sine);
      const float r = math::sqrt(-2.0f * math::log(float(int32_t(words.word[j] >> 8) + 1) * kUnit)) * args.b;
      if (first + j < args.count) y[first + j] = args.a + r * cosine;
      if (first + j + 1 < args.count) y[first + j + 1] = args.a + r * sine;
    }
  });
}

}  // namespace ostrich::cuda
