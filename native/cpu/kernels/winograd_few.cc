// A thread takes a few tiles from their transform to their results; they and the weights stay in its own cache.
#include "cpu/kernels/winograd_few.h"

#include <omp.h>

#include "cpu/kernels/winograd_few_tiles.h"
#include "cpu/parallel.h"

namespace ostrich::cpu {

namespace {

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
  Correlate(Builder& builder, const WinogradSpec& spec, bool turned)
      : from_(turned ? spec.y : spec.x, turned ? spec.y_desc : spec.x_desc),
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
    if (turned) turned_ = floats(extent_ * extent_ * k_ * n_);
    detail = "winograd";
  }

  void connect(Slot* from, Slot* w, Slot* bias, bool relu, Slot* to) {
    reads = {from, w};
    if (bias != nullptr) reads.push_back(bias);
    writes = {to, u_, v_, m_};
    if (turned_ != nullptr) writes.push_back(turned_);
    bias_ = bias;
    relu_ = relu;
  }

  void run(RunContext& context) override {
    if (turned_ != nullptr) turn_weights(context.threads);
    transform_weights(context.threads);
    const int64_t parts = (grid_.tiles + tiles_ - 1) / tiles_;
    parallel_tasks(context.threads, parts, false, [&](int64_t part) {
      run_part(part * tiles_, std::min(tiles_, grid_.tiles - part * tiles_), omp_get_thread_num());
    });
  }

 private:
  static constexpr int64_t kBlock = simd::kMaxPanels;

  // [R, R, O, C] of w [R, R, C, O]: the gradient of an image sums over O.
  void turn_weights(int threads) const {
    const float* w = reads[1]->data<float>();
    float* turned = turned_->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t place = begin; place < end; ++place) {
        const float* from = w + place * k_ * n_;
        float* to = turned + place * k_ * n_;
        for (int64_t o = 0; o < k_; ++o) {
          for (int64_t c = 0; c < n_; ++c) to[o * n_ + c] = from[c * k_ + o];
        }
      }
    };
    parallel_for(threads, extent_ * extent_, 1, some, 1);
  }

  // u [36][panels][k][lanes].
  void transform_weights(int threads) const {
    const float* w = turned_ != nullptr ? turned_->data<float>() : reads[1]->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        columns_.for_panels([&](int64_t column) {
          simd::table().winograd_weights(u_->data<float>() + column * k_ + i * Columns::lanes(), u_pitch_,
                                         w + i * n_ + column, k_ * n_, int(extent_), turned_ != nullptr,
                                         columns_.width(column));
        });
      }
    };
    parallel_for(threads, k_, 1, some, 1);
  }

  // v [36][tiles][k], m [36][tiles][columns of a block].
  void run_part(int64_t begin, int64_t count, int64_t thread) const {
    const simd::Table& table = simd::table();
    const float* u = u_->data<float>();
    float* v = v_->data<float>() + thread * kPlaces * v_pitch_;
    float* m = m_->data<float>() + thread * kPlaces * m_pitch_;
    for (int64_t i = 0; i < count; ++i) {
      const float* x = reads[0]->data<float>();
      const WinogradTile tile = grid_.tile(begin + i, from_, kSize, pad_top_, pad_left_, x);
      table.winograd_image(v + i * k_, v_pitch_, x, tile);
    }
    columns_.for_blocks([&](int64_t column, int64_t panels) {
      for (int64_t place = 0; place < kPlaces; ++place)
        table.panel_product[panels - 1](m + place * m_pitch_, v + place * v_pitch_, k_, count,
                                        u + place * u_pitch_ + column * k_, k_ * Columns::lanes(), k_);
      const float* bias = bias_ != nullptr ? bias_->data<float>() + column : nullptr;
      for (int64_t i = 0; i < count; ++i) {
        float* y = writes[0]->data<float>();
        WinogradTile tile = grid_.tile(begin + i, to_, results_, 0, 0, y);
        tile.channels = columns_.width(column, panels);
        table.winograd_result(y + to_.channel(column), m + i * panels * Columns::lanes(), m_pitch_, tile, int(results_),
                              bias, relu_);
      }
    });
  }

  const Images from_, to_;
  const int64_t extent_, results_, k_, n_;  // k, n: channels that are read and written
  const Columns columns_;
  const int64_t pad_top_, pad_left_;
  const Grid grid_;
  const int64_t tiles_, u_pitch_, v_pitch_, m_pitch_;  // tiles: of one thread at a time
  Slot *u_, *v_, *m_, *turned_ = nullptr, *bias_ = nullptr;
  bool relu_ = false;
};

}  // namespace

bool winograd_few(const Shape& w, int64_t groups) {
  constexpr int64_t kMostBytes = 640 << 10;
  return groups == 1 && kPlaces * w[0] * w[1] * int64_t(sizeof(float)) <= kMostBytes;
}

std::unique_ptr<Step> winograd_few_correlate(Builder& builder, const WinogradSpec& spec, bool turned, Slot* from,
                                             Slot* w, Slot* bias, bool relu, Slot* to) {
  auto step = std::make_unique<Correlate>(builder, spec, turned);
  step->connect(from, w, bias, relu, to);
  return step;
}

}  // namespace ostrich::cpu
