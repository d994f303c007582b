// Winograd's convolutions between images and transformed tiles: a register of channels is done at a time, and eight of
// what is left.
#include <cstring>
#include <type_traits>

#include "cpu/simd/parts.h"
#include "cpu/simd/winograd_axes.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int64_t kLanes = WinogradTile::kLanes;

using Eight = float __attribute__((vector_size(kLanes * sizeof(float))));
using Wide = float __attribute__((vector_size(kPanelLanes * sizeof(float))));

template <class Lanes>
OSTRICH_INLINE void load(Lanes& to, const float* from) {
  std::memcpy(&to, from, sizeof(Lanes));
}
template <class Lanes>
OSTRICH_INLINE void store(float* to, const Lanes& from) {
  std::memcpy(to, &from, sizeof(Lanes));
}

using EightBits = uint32_t __attribute__((vector_size(kLanes * 4)));
using WideBits = uint32_t __attribute__((vector_size(kPanelLanes * 4)));
using EightHalves = uint16_t __attribute__((vector_size(kLanes * 2)));
using WideHalves = uint16_t __attribute__((vector_size(kPanelLanes * 2)));

// The 32 bits of each lane, and the 16 of a bf16.
template <class Lanes>
constexpr bool is_eight = sizeof(Lanes) == sizeof(Eight);
template <class Lanes>
using Bits = std::conditional_t<is_eight<Lanes>, EightBits, WideBits>;
template <class Lanes>
using Halves = std::conditional_t<is_eight<Lanes>, EightHalves, WideHalves>;

template <class Lanes>
OSTRICH_INLINE void load(Lanes& to, const uint16_t* from) {
  Halves<Lanes> halves;
  std::memcpy(&halves, from, sizeof(halves));
  const Bits<Lanes> bits = __builtin_convertvector(halves, Bits<Lanes>) << 16;
  std::memcpy(&to, &bits, sizeof(Lanes));
}
// As math::float_to_bf16.
template <class Lanes>
OSTRICH_INLINE void store(uint16_t* to, const Lanes& from) {
  Bits<Lanes> bits;
  std::memcpy(&bits, &from, sizeof(Lanes));
  const Bits<Lanes> rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, nan = bits >> 16 | 0x40;
  const Bits<Lanes> chosen = from == from ? rounded : nan;
  const Halves<Lanes> halves = __builtin_convertvector(chosen, Halves<Lanes>);
  std::memcpy(to, &halves, sizeof(halves));
}

// Names a register, which is never passed as an argument: not every instruction set has one of that size.
template <class Register>
struct Of {
  using Lanes = Register;
};

// Calls some(Of<Lanes>{}, offset, channel) for a tile's channels, by as many as lie side by side.
template <class Some>
OSTRICH_INLINE void for_channels(const WinogradTile& tile, Some some) {
  int64_t block = 0;
  for (int64_t begin = 0; begin < tile.channels; begin += tile.block, block += tile.block_stride) {
    const int64_t left = tile.channels - begin, count = left < tile.block ? left : tile.block;
    int64_t i = 0;
    for (; i + kPanelLanes <= count; i += kPanelLanes) some(Of<Wide>{}, block + i, begin + i);
    for (; i < count; i += kLanes) some(Of<Eight>{}, block + i, begin + i);
  }
}

// Calls some(Of<Lanes>{}, i) for n neighbours.
template <class Some>
OSTRICH_INLINE void for_neighbours(int64_t n, Some some) {
  int64_t i = 0;
  for (; i + kPanelLanes <= n; i += kPanelLanes) some(Of<Wide>{}, i);
  for (; i < n; i += kLanes) some(Of<Eight>{}, i);
}

template <int kExtent>
bool is_whole(const WinogradTile& tile) {
  return tile.row_begin == 0 && tile.column_begin == 0 && tile.row_end == kExtent && tile.column_end == kExtent;
}

// What a tile holds of its image for a register of channels; zero outside.
template <int kExtent, bool kWhole, class Lanes, class T>
OSTRICH_INLINE void read_tile(Lanes* d, const T* x, const WinogradTile& tile) {
#pragma GCC unroll 6
  for (int row = 0; row < kExtent; ++row) {
#pragma GCC unroll 6
    for (int column = 0; column < kExtent; ++column) {
      Lanes& to = d[row * kExtent + column];
      const bool inside = kWhole || (row >= tile.row_begin && row < tile.row_end && column >= tile.column_begin &&
                                     column < tile.column_end);
      if (inside) {
        load(to, x + row * tile.row_stride + column * tile.column_stride);
      } else {
        to = Lanes{};
      }
    }
  }
}

template <class Axis, bool kWhole, class T>
void spread_tile(float* v, int64_t pitch, const T* x, const WinogradTile& tile) {
  for_channels(tile, [&](auto of, int64_t offset, int64_t channel) {
    using Lanes = typename decltype(of)::Lanes;
    Lanes in[Axis::kIn * Axis::kIn], out[kTile * kTile];
    read_tile<Axis::kIn, kWhole>(in, x + offset, tile);
    transform<Axis>(out, in);
#pragma GCC unroll 36
    for (int i = 0; i < kTile * kTile; ++i) store(v + i * pitch + channel, out[i]);
  });
}

template <class Axis, class T>
void spread(float* v, int64_t pitch, const void* x, const WinogradTile& tile) {
  const T* from = static_cast<const T*>(x);
  if (is_whole<Axis::kIn>(tile)) return spread_tile<Axis, true>(v, pitch, from, tile);
  spread_tile<Axis, false>(v, pitch, from, tile);
}

template <class T>
void result_gradient(float* v, int64_t pitch, const void* dy, const WinogradTile& tile, int results) {
  if (results == 4) return spread<ResultGradient<4>, T>(v, pitch, dy, tile);
  spread<ResultGradient<2>, T>(v, pitch, dy, tile);
}

template <int kResults, bool kWhole, class T>
void gather_tile(T* y, const float* m, int64_t pitch, const WinogradTile& tile, const float* bias, bool relu) {
  const int rows = kWhole ? kResults : int(tile.row_end), columns = kWhole ? kResults : int(tile.column_end);
  for_channels(tile, [&](auto of, int64_t offset, int64_t channel) {
    using Lanes = typename decltype(of)::Lanes;
    Lanes in[kTile * kTile], out[kResults * kResults], add{};
#pragma GCC unroll 36
    for (int i = 0; i < kTile * kTile; ++i) load(in[i], m + i * pitch + channel);
    transform<Result<kResults>>(out, in);
    if (bias != nullptr) load(add, bias + channel);
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        Lanes value = out[row * kResults + column] + add;
        if (relu) value = value < 0.f ? Lanes{} : value;  // NaN stays
        store(y + offset + row * tile.row_stride + column * tile.column_stride, value);
      }
    }
  });
}

template <int kResults, class T>
void gather(T* y, const float* m, int64_t pitch, const WinogradTile& tile, const float* bias, bool relu) {
  if (is_whole<kResults>(tile)) return gather_tile<kResults, true>(y, m, pitch, tile, bias, relu);
  gather_tile<kResults, false>(y, m, pitch, tile, bias, relu);
}

template <class T>
void result(void* y, const float* m, int64_t pitch, const WinogradTile& tile, int results, const float* bias,
            bool relu) {
  if (results == 4) return gather<4>(static_cast<T*>(y), m, pitch, tile, bias, relu);
  gather<2>(static_cast<T*>(y), m, pitch, tile, bias, relu);
}

template <int kWeights>
void spread_weights(float* u, int64_t pitch, const float* w, int64_t step, bool turned, int64_t n) {
  constexpr int kCount = kWeights * kWeights;
  for_neighbours(n, [&](auto of, int64_t i) {
    typename decltype(of)::Lanes in[kCount], out[kTile * kTile];
    for (int place = 0; place < kCount; ++place) load(in[turned ? kCount - 1 - place : place], w + place * step + i);
    transform<Weights<kWeights>>(out, in);
    for (int place = 0; place < kTile * kTile; ++place) store(u + place * pitch + i, out[place]);
  });
}

void weights(float* u, int64_t pitch, const float* w, int64_t step, int extent, bool turned, int64_t n) {
  if (extent == 3) return spread_weights<3>(u, pitch, w, step, turned, n);
  spread_weights<5>(u, pitch, w, step, turned, n);
}

template <int kWeights>
void gather_weights(float* dw, int64_t step, const float* m, int64_t pitch, int64_t n) {
  constexpr int kCount = kWeights * kWeights;
  for_neighbours(n, [&](auto of, int64_t i) {
    typename decltype(of)::Lanes in[kTile * kTile], out[kCount];
    for (int place = 0; place < kTile * kTile; ++place) load(in[place], m + place * pitch + i);
    transform<WeightsGradient<kWeights>>(out, in);
    for (int place = 0; place < kCount; ++place) store(dw + place * step + i, out[place]);
  });
}

void weights_gradient(float* dw, int64_t step, const float* m, int64_t pitch, int extent, int64_t n) {
  if (extent == 3) return gather_weights<3>(dw, step, m, pitch, n);
  gather_weights<5>(dw, step, m, pitch, n);
}

}  // namespace

void add_winograd(Table& table) {
  table.winograd_image[kF32] = spread<Image, float>;
  table.winograd_image[kBf16] = spread<Image, uint16_t>;
  table.winograd_result[kF32] = result<float>;
  table.winograd_result[kBf16] = result<uint16_t>;
  table.winograd_result_gradient[kF32] = result_gradient<float>;
  table.winograd_result_gradient[kBf16] = result_gradient<uint16_t>;
  table.winograd_weights = weights;
  table.winograd_weights_gradient = weights_gradient;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
