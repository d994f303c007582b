// The gradient of few weights: parts of all tiles, each with sums of its own, which are added in order at the end. How
// many parts does not depend on the threads, and so neither do the sums.
#include "cpu/kernels/winograd_few.h"
#include "cpu/kernels/winograd_few_tiles.h"
#include "cpu/parallel.h"
#include "cpu/team.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using simd::WinogradTile;
using winograd::Columns;
using winograd::Grid;
using winograd::Images;
using winograd::kGapFloats;
using winograd::kPlaces;
using winograd::kSize;

// Tiles of a part, so that its sums cost little beside its products; and what the sums of all parts may take.
constexpr int64_t kPartTiles = 96, kMostParts = 32, kSumBytes = 8 << 20;

class GradWeight : public Step {
 public:
  GradWeight(Builder& builder, const WinogradSpec& spec, DType images, DType result)
      : kind_(images == DType::bf16 ? simd::kBf16 : simd::kF32),
        x_(spec.x, spec.x_desc),
        dy_(spec.y, spec.y_desc),
        extent_(spec.w[2]),
        results_(kSize + 1 - extent_),
        c_(x_.shape[1]),
        o_(dy_.shape[1]),
        columns_(o_),
        pad_top_(spec.pad_top),
        pad_left_(spec.pad_left),
        grid_(dy_.shape[0], dy_.shape[2], dy_.shape[3], results_),
        tiles_(winograd::own_tiles(grid_.tiles, c_ + columns_.padded())),
        v_pitch_(tiles_ * c_ + kGapFloats),
        d_pitch_(tiles_ * columns_.padded() + kGapFloats),
        m_pitch_(c_ * columns_.padded() + kGapFloats),
        sums_(kPlaces * m_pitch_ + columns_.padded()) {
    const int64_t room = std::min(kMostParts, kSumBytes / int64_t(sizeof(float)) / sums_);
    parts_ = std::clamp<int64_t>(grid_.tiles / kPartTiles, 1, std::max<int64_t>(1, room));
    const auto floats = [&](int64_t count) { return builder.scratch(size_t(count) * sizeof(float)); };
    v_ = floats(builder.threads() * kPlaces * v_pitch_);
    d_ = floats(builder.threads() * kPlaces * d_pitch_);
    m_ = floats(parts_ * sums_);
    if (result == DType::bf16) wide_ = floats(extent_ * extent_ * c_ * o_);
    detail = "winograd";
  }

  void connect(Slot* x, Slot* dy, Slot* dw, Slot* db) {
    reads = {x, dy};
    writes = {dw, v_, d_, m_};
    if (wide_ != nullptr) writes.push_back(wide_);
    db_ = db;
    if (db != nullptr) writes.push_back(db);
  }

  void run(RunContext& context) override {
    parallel_tasks(context.threads, parts_, false, [&](int64_t part) { run_part(part, own_part().id); });
    float* m = m_->data<float>();
    const auto add = [&](int64_t begin, int64_t end) {
      for (int64_t part = 1; part < parts_; ++part)
        simd::table().add_row[simd::kF32](m + begin, m + part * sums_ + begin, end - begin);
    };
    parallel_for(context.threads, sums_, 1, add);
    const auto rows = [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) gather(row);
    };
    parallel_for(context.threads, c_, 1, rows, 1);
    if (wide_ != nullptr) {
      const int64_t count = extent_ * extent_ * c_ * o_;
      simd::table().bf16_from_f32(writes[0]->data<uint16_t>(), wide_->data<float>(), nullptr, nullptr, count);
    }
    if (db_ != nullptr) std::copy_n(m + kPlaces * m_pitch_, o_, db_->data<float>());
  }

 private:
  // Of a part: m [36][blocks][c][columns of the block], and behind it the sums of dy.
  void run_part(int64_t part, int64_t thread) const {
    const int64_t first = grid_.tiles * part / parts_, last = grid_.tiles * (part + 1) / parts_;
    float* m = m_->data<float>() + part * sums_;
    std::fill_n(m + kPlaces * m_pitch_, columns_.padded(), 0.f);
    for (int64_t begin = first; begin < last; begin += tiles_) {
      const int64_t count = std::min(tiles_, last - begin);
      kind_ == simd::kF32 ? add_tiles<float>(m, begin, count, thread, begin > first)
                          : add_tiles<uint16_t>(m, begin, count, thread, begin > first);
    }
  }

  // v [36][tiles][c], d [36][panels][tiles][lanes].
  template <class T>
  void add_tiles(float* m, int64_t begin, int64_t count, int64_t thread, bool add) const {
    const simd::Table& table = simd::table();
    const int64_t lanes = Columns::lanes();
    float* v = v_->data<float>() + thread * kPlaces * v_pitch_;
    float* d = d_->data<float>() + thread * kPlaces * d_pitch_;
    for (int64_t i = 0; i < count; ++i) {
      const T *x = reads[0]->data<T>(), *dy = reads[1]->data<T>();
      const WinogradTile of_x = grid_.tile(begin + i, x_, kSize, pad_top_, pad_left_, x);
      table.winograd_image[kind_](v + i * c_, v_pitch_, x, of_x);
      WinogradTile of_dy = grid_.tile(begin + i, dy_, results_, 0, 0, dy);
      columns_.for_panels([&](int64_t column) {
        of_dy.channels = columns_.width(column);
        table.winograd_result_gradient[kind_](d + column * tiles_ + i * lanes, d_pitch_, dy + dy_.channel(column),
                                              of_dy, int(results_));
      });
    }
    columns_.for_blocks([&](int64_t column, int64_t panels) {
      for (int64_t place = 0; place < kPlaces; ++place)
        table.turned_panel_product[panels - 1](m + place * m_pitch_ + column * c_, v + place * v_pitch_, c_, c_,
                                               d + place * d_pitch_ + column * tiles_, tiles_ * lanes, count, add);
    });
    if (db_ != nullptr) add_sums(m + kPlaces * m_pitch_, d + (kSize + 1) * d_pitch_, count);
  }

  // Place (1, 1) of A dy A^T is the sum of a tile.
  void add_sums(float* sums, const float* d, int64_t count) const {
    columns_.for_panels([&](int64_t column) {
      for (int64_t i = 0; i < count; ++i)
        simd::table().add_row[simd::kF32](sums + column, d + column * tiles_ + i * Columns::lanes(),
                                          columns_.width(column));
    });
  }

  // dw [R, R, C, O] of one input channel.
  void gather(int64_t row) const {
    columns_.for_blocks([&](int64_t column, int64_t panels) {
      const float* m = m_->data<float>() + column * c_ + row * panels * Columns::lanes();
      float* dw = (wide_ != nullptr ? wide_ : writes[0])->data<float>() + row * o_ + column;
      simd::table().winograd_weights_gradient(dw, c_ * o_, m, m_pitch_, int(extent_), columns_.width(column, panels));
    });
  }

  const simd::FloatKind kind_;  // of images
  const Images x_, dy_;
  const int64_t extent_, results_, c_, o_;
  const Columns columns_;
  const int64_t pad_top_, pad_left_;
  const Grid grid_;
  const int64_t tiles_, v_pitch_, d_pitch_, m_pitch_, sums_;  // tiles: of one thread at a time; sums: floats of a part
  int64_t parts_;
  Slot *v_, *d_, *m_, *wide_ = nullptr, *db_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> winograd_few_grad_weight(Builder& builder, const WinogradSpec& spec, Slot* x, Slot* dy, Slot* dw,
                                               Slot* db) {
  auto step = std::make_unique<GradWeight>(builder, spec, x->dtype, dw->dtype);
  step->connect(x, dy, dw, db);
  return step;
}

}  // namespace ostrich::cpu
