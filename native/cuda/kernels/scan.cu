// Work along rows by a block for each: running sums, piece by piece with what came before; and the k largest elements,
// one after the other, each the first among those that follow the one before it in order.
#include "cuda/kernels/device.h"
#include "cuda/kernels/scan.h"

namespace ostrich::cuda {
namespace {

template <class Kind>
OSTRICH_DEVICE void running_sums(const ScanArgs& args, float* shared) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index());
  for (int64_t row = block_x(); row < args.rows; row += grid_x()) {
    const T* x = static_cast<const T*>(args.x) + row * args.extent;
    T* y = static_cast<T*>(args.y) + row * args.extent;
    float before = 0;
    for (int64_t first = 0; first < args.extent; first += kScanThreads) {
      const int64_t at = first + thread, i = args.from_end ? args.extent - 1 - at : at;
      float sum = at < args.extent ? Kind::load(x[i]) : 0.0f;
      // Hillis & Steele 1986, "Data parallel algorithms": twice as far at every step.
      for (int reach = 1; reach < kScanThreads; reach *= 2) {
        barrier();
        shared[thread] = sum;
        barrier();
        if (thread >= reach) sum += shared[thread - reach];
      }
      if (at < args.extent) y[i] = Kind::store(before + sum);
      barrier();
      shared[thread] = sum;
      barrier();
      before += shared[kScanThreads - 1];
    }
  }
}

// Larger floats have larger keys, NaN the largest; both zeros are equal.
OSTRICH_DEVICE int32_t key_of(float x) {
  if (x != x) return INT32_MAX;
  const int32_t bits = int32_t(math::bits_of(x == 0.0f ? 0.0f : x));
  return bits < 0 ? int32_t(0x80000000u - uint32_t(bits)) : bits;
}

template <class Kind>
OSTRICH_DEVICE void largest(const ScanArgs& args, int32_t* keys, int32_t* places) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index());
  for (int64_t row = block_x(); row < args.rows; row += grid_x()) {
    const T* x = static_cast<const T*>(args.x) + row * args.extent;
    int32_t last_key = INT32_MAX, last_place = -1;
    for (int64_t j = 0; j < args.k; ++j) {
      int32_t key = INT32_MIN, place = INT32_MAX;
      for (int64_t i = thread; i < args.extent; i += kScanThreads) {
        const int32_t own = key_of(Kind::load(x[i]));
        const bool follows = own < last_key || (own == last_key && int32_t(i) > last_place);
        if (follows && (own > key || place == INT32_MAX)) key = own, place = int32_t(i);
      }
      barrier();
      keys[thread] = key;
      places[thread] = place;
      for (int half = kScanThreads / 2; half > 0; half /= 2) {
        barrier();
        if (thread < half) {
          const int32_t other = keys[thread + half], at = places[thread + half];
          if (other > keys[thread] || (other == keys[thread] && at < places[thread])) {
            keys[thread] = other;
            places[thread] = at;
          }
        }
      }
      barrier();
      last_key = keys[0];
      last_place = places[0];
      if (thread == 0) {
        static_cast<T*>(args.y)[row * args.k + j] = x[last_place];
        args.indices[row * args.k + j] = last_place;
      }
      barrier();
    }
  }
}

}  // namespace

#define OSTRICH_SCAN(kind, Kind)                                     \
  OSTRICH_GLOBAL_SYNC(running_sums_##kind, ScanArgs, kScanThreads) { \
    OSTRICH_SHARED(float, shared, kScanThreads);                     \
    running_sums<Kind>(args, shared);                                \
  }                                                                  \
  OSTRICH_GLOBAL_SYNC(largest_##kind, ScanArgs, kScanThreads) {      \
    OSTRICH_SHARED(int32_t, keys, kScanThreads);                     \
    OSTRICH_SHARED(int32_t, places, kScanThreads);                   \
    largest<Kind>(args, keys, places);                               \
  }
OSTRICH_SCAN(f32, F32)
OSTRICH_SCAN(bf16, Bf16)

}  // namespace ostrich::cuda
