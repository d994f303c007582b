// A thread takes a few tiles from their transform to their results: they, and the products of 32 channels, stay in its
// own cache, and only weights pass by. The gradient of weights sums over all tiles, in chunks that all threads share.
#include "cpu/kernels/winograd_bf16.h"

#include <omp.h>

#include "cpu/kernels/winograd_tiles.h"
#include "cpu/parallel.h"
#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu {

namespace {

using simd::Bf16Table;
using simd::WinogradTile;
using winograd::Grid;
using winograd::Images;

constexpr int64_t kColumns = Bf16Table::kColumns, kPlaces = Bf16Table::kPlaces, kResults = Bf16Table::kResults;
constexpr int64_t kGap = 32;              // elements between places: not all in one set of a cache
constexpr int64_t kOwnBytes = 300 << 10;  // transformed tiles of one thread
constexpr int64_t kRows = 12;             // tiles that a product takes at once

const Bf16Table& loops() { return *simd::bf16_table(); }

class Correlate : public Step {
 public:
  Correlate(Builder& builder, const WinogradSpec& spec, bool turned)
      : from_(turned ? spec.y : spec.x, turned ? spec.y_desc : spec.x_desc),
        to_(turned ? spec.x : spec.y, turned ? spec.x_desc : spec.y_desc),
        groups_(spec.groups),
        k_(from_.shape[1] / groups_),
        n_(to_.shape[1] / groups_),
        pad_top_(turned ? 2 - spec.pad_top : spec.pad_top),
        pad_left_(turned ? 2 - spec.pad_left : spec.pad_left),
        grid_(to_.shape[0], to_.shape[2], to_.shape[3], kResults),
        turned_(turned) {
    const int64_t c = from_.shape[1], fits = kOwnBytes / (kPlaces * c * int64_t(sizeof(uint16_t)));
    tiles_ = std::min(grid_.tiles, std::max(kRows, fits / kRows * kRows));
    v_pitch_ = tiles_ * c + kGap;
    m_pitch_ = tiles_ * kColumns + kGap;
    u_ = builder.scratch(size_t(to_.shape[1] * kPlaces * k_) * sizeof(uint16_t));
    v_ = builder.scratch(size_t(builder.threads() * kPlaces * v_pitch_) * sizeof(uint16_t));
    m_ = builder.scratch(size_t(builder.threads() * kPlaces * m_pitch_) * sizeof(float));
    detail = "winograd";
  }

  void connect(Slot* from, Slot* w, Slot* bias, bool relu, Slot* to) {
    reads = {from, w};
    if (bias != nullptr) reads.push_back(bias);
    writes = {to, u_, v_, m_};
    bias_ = bias;
    relu_ = relu;
  }

  void run(RunContext& context) override {
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) turned_ ? transform_turned(i) : transform_pair(i);
    };
    parallel_for(context.threads, groups_ * (turned_ ? n_ : k_ / 2), 1, some, 1);
    const int64_t parts = (grid_.tiles + tiles_ - 1) / tiles_;
    parallel_tasks(context.threads, parts, false, [&](int64_t part) {
      run_part(part * tiles_, std::min(tiles_, grid_.tiles - part * tiles_), omp_get_thread_num());
    });
  }

 private:
  // u: packed matrices of k rows, those of a block of columns place by place; w [3, 3, C/groups, O].
  int64_t u_pitch() const { return k_ * kColumns; }
  uint16_t* block_of(int64_t column) const { return u_->data<uint16_t>() + column / kColumns * kPlaces * u_pitch(); }

  void transform_pair(int64_t i) const {
    const int64_t pair = i % (k_ / 2), group = i / (k_ / 2), row = n_ * groups_;
    const uint16_t* w = reads[1]->data<uint16_t>() + pair * 2 * row + group * n_;
    uint16_t* u = block_of(group * n_) + pair * 2 * kColumns;
    loops().weights(u, u_pitch(), kPlaces * u_pitch(), w, row, k_ * row, n_);
  }

  void transform_turned(int64_t i) const {
    const int64_t column = i % n_, group = i / n_, row = k_ * groups_;
    const uint16_t* w = reads[1]->data<uint16_t>() + column * row + group * k_;
    loops().weights_turned(block_of(i) + i % kColumns * 2, u_pitch(), w, n_ * row, k_);
  }

  void run_part(int64_t begin, int64_t count, int64_t thread) const {
    const int64_t c = from_.shape[1], o = to_.shape[1];
    uint16_t* v = v_->data<uint16_t>() + thread * kPlaces * v_pitch_;
    float* m = m_->data<float>() + thread * kPlaces * m_pitch_;
    for (int64_t i = 0; i < count; ++i) {
      const uint16_t* x = reads[0]->data<uint16_t>();
      const WinogradTile tile = grid_.tile(begin + i, from_, Bf16Table::kSize, pad_top_, pad_left_, x);
      loops().image(v + i * c, v_pitch_, x, tile);
    }
    for (int64_t column = 0; column < o; column += kColumns) {
      const uint16_t *a = v + column / n_ * k_, *b = block_of(column);
      for (int64_t p = 0; p < kPlaces; ++p)
        loops().product(m + p * m_pitch_, kColumns, a + p * v_pitch_, c, count, b + p * u_pitch(), k_ / 2);
      const float* bias = bias_ != nullptr ? bias_->data<float>() + column : nullptr;
      for (int64_t i = 0; i < count; ++i) {
        uint16_t* y = writes[0]->data<uint16_t>();
        WinogradTile tile = grid_.tile(begin + i, to_, kResults, 0, 0, y);
        tile.channels = kColumns;
        loops().result(y + to_.channel(column), m + i * kColumns, m_pitch_, tile, bias, relu_);
      }
    }
  }

  const Images from_, to_;
  const int64_t groups_, k_, n_;  // k, n: channels of a group
  const int64_t pad_top_, pad_left_;
  const Grid grid_;
  const bool turned_;
  int64_t tiles_, v_pitch_, m_pitch_;  // tiles: of one thread at a time
  Slot *u_, *v_, *m_, *bias_ = nullptr;
  bool relu_ = false;
};

class GradWeight : public Step {
 public:
  GradWeight(Builder& builder, const WinogradSpec& spec)
      : x_(spec.x, spec.x_desc),
        dy_(spec.y, spec.y_desc),
        groups_(spec.groups),
        pad_top_(spec.pad_top),
        pad_left_(spec.pad_left),
        grid_(dy_.shape[0], dy_.shape[2], dy_.shape[3], kResults) {
    const int64_t c = x_.shape[1], o = dy_.shape[1];
    chunk_ = (winograd::chunk_of(grid_.tiles, c + o, c * o) + 1) / 2 * 2;
    m_pitch_ = c / groups_ * o + kGap;
    v_ = builder.scratch(size_t(kPlaces * pitch(c)) * sizeof(uint16_t));
    d_ = builder.scratch(size_t(kPlaces * pitch(o)) * sizeof(uint16_t));
    m_ = builder.scratch(size_t(kPlaces * m_pitch_) * sizeof(float));
    detail = "winograd";
  }

  void connect(Slot* x, Slot* dy, Slot* dw, Slot* db) {
    reads = {x, dy};
    writes = {dw, v_, d_, m_};
    db_ = db;
    if (db != nullptr) writes.push_back(db);
  }

  void run(RunContext& context) override {
    const int64_t c = x_.shape[1] / groups_, o = dy_.shape[1];
    for (int64_t begin = 0; begin < grid_.tiles; begin += chunk_)
      run_chunk(begin, std::min(chunk_, grid_.tiles - begin), context.threads);
    const auto kind = writes[0]->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32;
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i % c, column = i / c * kColumns;
        char* dw = writes[0]->data<char>() + size_t(row * o + column) * core::size_of(writes[0]->dtype);
        loops().weights_gradient[kind](dw, c * o, m_->data<float>() + i * kColumns, m_pitch_, kColumns);
      }
    };
    parallel_for(context.threads, o / kColumns * c, 1, some, 1);
    if (db_ != nullptr) parallel_for(context.threads, o, 1, [&](int64_t first, int64_t last) { sum(first, last); });
  }

 private:
  // v, d: at each place a packed matrix with a row for each tile.
  int64_t block() const { return chunk_ * kColumns; }
  int64_t pitch(int64_t channels) const { return chunk_ * channels + kGap; }

  void run_chunk(int64_t begin, int64_t count, int threads) const {
    const int64_t c = x_.shape[1], o = dy_.shape[1], pairs = (count + 1) / 2;
    uint16_t *v = v_->data<uint16_t>(), *d = d_->data<uint16_t>();
    const auto spread = [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const bool lonely = i * 2 + 1 == count;
        const uint16_t *x[2], *dy[2];
        WinogradTile of_x[2], of_dy[2];
        for (int64_t j = 0; j < 2; ++j) {
          const int64_t tile = begin + i * 2 + (lonely ? 0 : j);
          x[j] = reads[0]->data<uint16_t>();
          dy[j] = reads[1]->data<uint16_t>();
          of_x[j] = grid_.tile(tile, x_, Bf16Table::kSize, pad_top_, pad_left_, x[j]);
          of_dy[j] = grid_.tile(tile, dy_, kResults, 0, 0, dy[j]);
        }
        if (lonely) of_x[1].row_end = of_dy[1].row_end = 0;
        loops().image_pair(v + i * 2 * kColumns, pitch(c), block(), x, of_x);
        loops().result_gradient_pair(d + i * 2 * kColumns, pitch(o), block(), dy, of_dy);
      }
    };
    parallel_for(threads, pairs, 1, spread, 1);
    const int64_t rows = c / groups_, columns = o / kColumns;
    parallel_tasks(threads, kPlaces * columns, false, [&](int64_t task) {
      const int64_t p = task / columns, column = task % columns, group = column * kColumns / (o / groups_);
      float* m = m_->data<float>() + p * m_pitch_ + column * rows * kColumns;
      for (int64_t row = 0; row < rows; row += kColumns) {
        const uint16_t* a = v + p * pitch(c) + (group * rows + row) / kColumns * block();
        loops().packed_product(m + row * kColumns, kColumns, a, d + p * pitch(o) + column * block(), pairs, begin > 0);
      }
    });
  }

  // db of some channels.
  void sum(int64_t first, int64_t last) const {
    float* db = db_->data<float>();
    std::fill(db + first, db + last, 0.f);
    for (int64_t channel = first; channel < last;) {
      const int64_t count = std::min(last, (channel / dy_.block + 1) * dy_.block) - channel;
      for (int64_t n = 0; n < dy_.shape[0]; ++n) {
        for (int64_t place = 0; place < dy_.shape[2] * dy_.shape[3]; ++place) {
          const int64_t row = place / dy_.shape[3], column = place % dy_.shape[3];
          const uint16_t* dy = reads[1]->data<uint16_t>() + n * dy_.image + row * dy_.row + column * dy_.column;
          simd::table().add_row[simd::kBf16](db + channel, dy + dy_.channel(channel), count);
        }
      }
      channel += count;
    }
  }

  const Images x_, dy_;
  const int64_t groups_, pad_top_, pad_left_;
  const Grid grid_;
  int64_t chunk_, m_pitch_;
  Slot *v_, *d_, *m_, *db_ = nullptr;
};

}  // namespace

bool winograd_bf16() {
  static const bool yes =
      native_bf16() && dnnl::get_effective_cpu_isa() < dnnl::cpu_isa::avx512_core_amx && simd::bf16_table() != nullptr;
  return yes;
}

std::unique_ptr<Step> winograd_bf16_correlate(Builder& builder, const WinogradSpec& spec, bool turned, Slot* from,
                                              Slot* w, Slot* bias, bool relu, Slot* to) {
  auto step = std::make_unique<Correlate>(builder, spec, turned);
  step->connect(from, w, bias, relu, to);
  return step;
}

std::unique_ptr<Step> winograd_bf16_grad_weight(Builder& builder, const WinogradSpec& spec, Slot* x, Slot* dy, Slot* dw,
                                                Slot* db) {
  auto step = std::make_unique<GradWeight>(builder, spec);
  step->connect(x, dy, dw, db);
  return step;
}

}  // namespace ostrich::cpu
