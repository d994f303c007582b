// A thread takes a few tiles from their transform to their results; they and the weights stay in its own cache.
#include "cpu/kernels/winograd_few.h"

#include "core/bf16.h"
#include "cpu/kernels/winograd_few_tiles.h"
#include "cpu/parallel.h"
#include "cpu/team.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using core::Shape;
using simd::WinogradTile;
using winograd::Columns;
using winograd::Grid;
using winograd::Images;
using winograd::kGapFloats;
using winograd::kPlaces;
using winograd::kSize;

class Correlate : public Step {
 public:
  Correlate(Builder& builder, const WinogradSpec& spec, bool turned, DType from, DType to)
      : reads_bf16_(from == DType::bf16),
        writes_bf16_(to == DType::bf16),
        turned_(turned),
        from_(turned ? spec.y : spec.x, turned ? spec.y_desc : spec.x_desc),
        to_(turned ? spec.x : spec.y, turned ? spec.x_desc : spec.y_desc),
        extent_(spec.w[2]),
        results_(kSize + 1 - extent_),
        k_(from_.shape[1]),
        n_(to_.shape[1]),
        columns_(n_),
        pad_top_(turned ? extent_ - 1 - spec.pad_top : spec.pad_top),
        pad_left_(turned ? extent_ - 1 - spec.pad_left : spec.pad_left),
        grid_(to_.shape[0], to_.shape[2], to_.shape[3], results_),
        tiles_(winograd::own_tiles(grid_.tiles, k_ + std::min(columns_.padded(), kBlock * Columns::lanes()))),
        u_pitch_(k_ * columns_.padded() + kGapFloats),
        v_pitch_(tiles_ * k_ + kGapFloats),
        m_pitch_(tiles_ * std::min(columns_.padded(), kBlock * Columns::lanes()) + kGapFloats) {
    const auto floats = [&](int64_t count) { return builder.scratch(size_t(count) * sizeof(float)); };
    u_ = floats(kPlaces * u_pitch_);
    v_ = floats(builder.threads() * kPlaces * v_pitch_);
    m_ = floats(builder.threads() * kPlaces * m_pitch_);
    if (turned || reads_bf16_) w_ = floats(extent_ * extent_ * k_ * n_);
    detail = "winograd";
  }

  void connect(Slot* from, Slot* w, Slot* bias, bool relu, Slot* to) {
    reads = {from, w};
    if (bias != nullptr) reads.push_back(bias);
    writes = {to, u_, v_, m_};
    if (w_ != nullptr) writes.push_back(w_);
    bias_ = bias;
    relu_ = relu;
  }

  void run(RunContext& context) override {
    if (w_ != nullptr) reads_bf16_ ? copy_weights<uint16_t>(context.threads) : copy_weights<float>(context.threads);
    transform_weights(context.threads);
    const int64_t parts = (grid_.tiles + tiles_ - 1) / tiles_;
    parallel_tasks(context.threads, parts, false, [&](int64_t part) {
      run_part(part * tiles_, std::min(tiles_, grid_.tiles - part * tiles_), own_part().id);
    });
  }

 private:
  static constexpr int64_t kBlock = simd::kMaxPanels;

  // w [R, R, C, O] in f32; [R, R, O, C] where turned: the gradient of an image sums over O.
  template <class T>
  void copy_weights(int threads) const {
    const T* w = reads[1]->data<T>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t place = begin; place < end; ++place) {
        const T* from = w + place * k_ * n_;
        float* to = w_->data<float>() + place * k_ * n_;
        for (int64_t i = 0; i < k_; ++i) {
          for (int64_t j = 0; j < n_; ++j) to[i * n_ + j] = as_float(turned_ ? from[j * k_ + i] : from[i * n_ + j]);
        }
      }
    };
    parallel_for(threads, extent_ * extent_, 1, some, 1);
  }
  static float as_float(float x) { return x; }
  static float as_float(uint16_t x) { return core::bf16_to_float(x); }

  // u [36][panels][k][lanes].
  void transform_weights(int threads) const {
    const float* w = (w_ != nullptr ? w_ : reads[1])->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        columns_.for_panels([&](int64_t column) {
          simd::table().winograd_weights(u_->data<float>() + column * k_ + i * Columns::lanes(), u_pitch_,
                                         w + i * n_ + column, k_ * n_, int(extent_), turned_, columns_.width(column));
        });
      }
    };
    parallel_for(threads, k_, 1, some, 1);
  }

  // v [36][tiles][k], m [36][tiles][columns of a block].
  void run_part(int64_t begin, int64_t count, int64_t thread) const {
    const float* u = u_->data<float>();
    float* v = v_->data<float>() + thread * kPlaces * v_pitch_;
    float* m = m_->data<float>() + thread * kPlaces * m_pitch_;
    reads_bf16_ ? spread<uint16_t>(v, begin, count) : spread<float>(v, begin, count);
    columns_.for_blocks([&](int64_t column, int64_t panels) {
      for (int64_t place = 0; place < kPlaces; ++place)
        simd::table().panel_product[panels - 1](m + place * m_pitch_, v + place * v_pitch_, k_, count,
                                                u + place * u_pitch_ + column * k_, k_ * Columns::lanes(), k_);
      writes_bf16_ ? gather<uint16_t>(m, begin, count, column, panels) : gather<float>(m, begin, count, column, panels);
    });
  }

  template <class T>
  void spread(float* v, int64_t begin, int64_t count) const {
    const auto image = simd::table().winograd_image[reads_bf16_ ? simd::kBf16 : simd::kF32];
    for (int64_t i = 0; i < count; ++i) {
      const T* x = reads[0]->data<T>();
      const WinogradTile tile = grid_.tile(begin + i, from_, kSize, pad_top_, pad_left_, x);
      image(v + i * k_, v_pitch_, x, tile);
    }
  }

  // The results of some panels.
  template <class T>
  void gather(const float* m, int64_t begin, int64_t count, int64_t column, int64_t panels) const {
    const auto result = simd::table().winograd_result[writes_bf16_ ? simd::kBf16 : simd::kF32];
    const float* bias = bias_ != nullptr ? bias_->data<float>() + column : nullptr;
    for (int64_t i = 0; i < count; ++i) {
      T* y = writes[0]->data<T>();
      WinogradTile tile = grid_.tile(begin + i, to_, results_, 0, 0, y);
      tile.channels = columns_.width(column, panels);
      result(y + to_.channel(column), m + i * panels * Columns::lanes(), m_pitch_, tile, int(results_), bias, relu_);
    }
  }

  const bool reads_bf16_, writes_bf16_, turned_;
  const Images from_, to_;
  const int64_t extent_, results_, k_, n_;  // k, n: channels that are read and written
  const Columns columns_;
  const int64_t pad_top_, pad_left_;
  const Grid grid_;
  const int64_t tiles_, u_pitch_, v_pitch_, m_pitch_;  // tiles: of one thread at a time
  Slot *u_, *v_, *m_, *w_ = nullptr, *bias_ = nullptr;
  bool relu_ = false;
};

}  // namespace

bool winograd_few(const Shape& w, int64_t groups) {
  constexpr int64_t kMostBytes = 640 << 10;
  return groups == 1 && kPlaces * w[0] * w[1] * int64_t(sizeof(float)) <= kMostBytes;
}

std::unique_ptr<Step> winograd_few_correlate(Builder& builder, const WinogradSpec& spec, bool turned, Slot* from,
                                             Slot* w, Slot* bias, bool relu, Slot* to) {
  auto step = std::make_unique<Correlate>(builder, spec, turned, from->dtype, to->dtype);
  step->connect(from, w, bias, relu, to);
  return step;
}

}  // namespace ostrich::cpu
