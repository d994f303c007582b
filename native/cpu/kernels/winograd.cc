// The images are done in chunks of tiles: transform, 36 products, transform back. A chunk's buffers stay in a cache
// that the cores share, and what a result is made of does not depend on the number of threads.
#include "cpu/kernels/winograd.h"

#include <algorithm>

#include "cpu/onednn.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using core::Shape;
using dnnl::memory;
using program::NodeSpec;
using simd::WinogradTile;

constexpr int64_t kSize = WinogradTile::kSize, kPlaces = WinogradTile::kPlaces, kLanes = WinogradTile::kLanes;
constexpr double kMinSaved = 1.5;          // multiplications of the direct form for one of these
constexpr int64_t kChunkFloats = 1 << 20;  // transformed images and results of a chunk, at least

// Channels below which the transforms cost more than the products save. With AVX-512 the direct form is twice as fast,
// and the transforms, which wait for memory, are not.
int64_t min_channels() {
  static const int64_t channels = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 64 : 32;
  return channels;
}

// Images [N, C, H, W] in memory: element strides of image, row and column, and of a block of channels.
struct Images {
  Images(const Shape& shape, const Layout& layout)
      : shape(shape), image(layout.strides[0]), row(layout.strides[2]), column(layout.strides[3]) {
    const bool blocked = !layout.block_size.empty();
    block = blocked ? layout.block_size[0] : shape[1];
    block_stride = blocked ? layout.strides[1] : 0;
  }

  Shape shape;
  int64_t image, row, column, block, block_stride;
};

// Squares of `step` results that cover images of [rows, columns], and the part of an image that belongs to each.
class Grid {
 public:
  Grid(int64_t images, int64_t rows, int64_t columns, int64_t step)
      : step_(step), rows_((rows + step - 1) / step), columns_((columns + step - 1) / step) {
    tiles = images * rows_ * columns_;
  }

  // Tile `i` of `images`, which begin `pad` before the tiles do; `data` is its corner, which may lie outside.
  template <class T>
  WinogradTile tile(int64_t i, const Images& images, int64_t extent, int64_t pad_top, int64_t pad_left,
                    T*& data) const {
    const int64_t n = i / (rows_ * columns_), place = i % (rows_ * columns_);
    const int64_t top = place / columns_ * step_ - pad_top, left = place % columns_ * step_ - pad_left;
    const auto first = [](int64_t start) { return std::max<int64_t>(0, -start); };
    const auto last = [extent](int64_t start, int64_t size) { return std::clamp<int64_t>(size - start, 0, extent); };
    data += n * images.image + top * images.row + left * images.column;
    return {images.row,
            images.column,
            images.block_stride,
            images.block,
            images.shape[1],
            first(top),
            last(top, images.shape[2]),
            first(left),
            last(left, images.shape[3])};
  }

  int64_t tiles;

 private:
  int64_t step_, rows_, columns_;
};

// c [m, n] (+)= a b, row-major; `a` may be kept as [k, m].
void product(bool transpose_a, int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, bool add) {
  const dnnl_status_t status =
      dnnl_sgemm(transpose_a ? 'T' : 'N', 'N', m, n, k, 1.f, a, transpose_a ? m : k, b, n, add ? 1.f : 0.f, c, n);
  if (status != dnnl_success) core::fail("ERR_INTERNAL", "oneDNN's sgemm failed with status ", int(status));
}

// Floats from one place of a transformed [rows, channels] to the next: a cache line more than it needs, so that a
// tile's 36 places do not all fall into one set of a cache.
int64_t pitch_of(int64_t rows, int64_t channels) { return rows * channels + 16; }
size_t bytes_of(int64_t rows, int64_t channels) { return size_t(kPlaces * pitch_of(rows, channels)) * sizeof(float); }

// Tiles of a chunk: few enough for a cache, and enough to read large weights seldom.
int64_t chunk_of(int64_t tiles, int64_t c, int64_t o) {
  const int64_t fits = std::max(kChunkFloats / kPlaces, c * o * 3 / 2) / (c + o);
  return std::min(tiles, std::max<int64_t>(32, fits / 16 * 16));
}

// y = w * x, w [R, R, C, O] as it lies; or, with the weights turned, dx from dy.
class Correlate : public Step {
 public:
  Correlate(Builder& builder, const Images& from, const Images& to, int64_t pad_top, int64_t pad_left, int64_t extent,
            bool turned)
      : from_(from),
        to_(to),
        pad_top_(pad_top),
        pad_left_(pad_left),
        extent_(extent),
        results_(kSize + 1 - extent),
        grid_(to.shape[0], to.shape[2], to.shape[3], kSize + 1 - extent),
        turned_(turned) {
    const int64_t c = from.shape[1], o = to.shape[1];
    chunk_ = chunk_of(grid_.tiles, c, o);
    u_ = builder.scratch(bytes_of(c, o));
    v_ = builder.scratch(bytes_of(chunk_, c));
    m_ = builder.scratch(bytes_of(chunk_, o));
    detail = "winograd";
  }

  void connect(Slot* x, Slot* w, Slot* bias, bool relu, Slot* y) {
    reads = {x, w};
    if (bias != nullptr) reads.push_back(bias);
    writes = {y, u_, v_, m_};
    bias_ = bias;
    relu_ = relu;
  }

  void run(RunContext& context) override {
    transform_weights(context.threads);
    for (int64_t begin = 0; begin < grid_.tiles; begin += chunk_)
      run_chunk(begin, std::min(chunk_, grid_.tiles - begin), context.threads);
  }

 private:
  // u [36][C][O] from w [R, R, C, O]; turned, w is [R, R, O, C].
  void transform_weights(int threads) const {
    const int64_t c = from_.shape[1], o = to_.shape[1], inner = turned_ ? c : o, outer = turned_ ? o : c;
    const float* w = reads[1]->data<float>();
    float* u = u_->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        simd::table().winograd_weights(u + i * inner, pitch_of(c, o), w + i * inner, c * o, int(extent_), turned_,
                                       inner);
    };
    parallel_for(threads, outer, 1, some, 1);
  }

  void run_chunk(int64_t begin, int64_t count, int threads) const {
    const int64_t c = from_.shape[1], o = to_.shape[1];
    const simd::Table& table = simd::table();
    float *u = u_->data<float>(), *v = v_->data<float>(), *m = m_->data<float>();
    const auto spread = [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const float* x = reads[0]->data<float>();
        const WinogradTile tile = grid_.tile(begin + i, from_, kSize, pad_top_, pad_left_, x);
        table.winograd_image(v + i * c, pitch_of(count, c), x, tile);
      }
    };
    const auto multiply = [&](int64_t p) {
      const float *a = v + p * pitch_of(count, c), *b = u + p * pitch_of(c, o);
      float* to = m + p * pitch_of(count, o);
      if (turned_) {
        turned_product(count, o, c, a, b, to);
      } else {
        product(false, count, o, c, a, b, to, false);
      }
    };
    const auto gather = [&](int64_t first, int64_t last) {
      const float* bias = bias_ != nullptr ? bias_->data<float>() : nullptr;
      for (int64_t i = first; i < last; ++i) {
        float* y = writes[0]->data<float>();
        const WinogradTile tile = grid_.tile(begin + i, to_, results_, 0, 0, y);
        table.winograd_result(y, m + i * o, pitch_of(count, o), tile, int(results_), bias, relu_);
      }
    };
    parallel_for(threads, count, 1, spread, 1);
    parallel_tasks(threads, kPlaces, false, multiply);
    parallel_for(threads, count, 1, gather, 1);
  }

  // Turned weights are u [O][C] for the product of [tiles, C] by its transpose.
  static void turned_product(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c) {
    const dnnl_status_t status = dnnl_sgemm('N', 'T', m, n, k, 1.f, a, k, b, k, 0.f, c, n);
    if (status != dnnl_success) core::fail("ERR_INTERNAL", "oneDNN's sgemm failed with status ", int(status));
  }

  const Images from_, to_;
  const int64_t pad_top_, pad_left_, extent_, results_;
  const Grid grid_;
  const bool turned_;
  int64_t chunk_;
  Slot *u_, *v_, *m_, *bias_ = nullptr;
  bool relu_ = false;
};

// dw [R, R, C, O] from x and dy, and the sums of dy: place (1, 1) of A dy A^T is the sum of a tile.
class GradWeight : public Step {
 public:
  GradWeight(Builder& builder, const Images& x, const Images& dy, int64_t pad_top, int64_t pad_left, int64_t extent)
      : x_(x),
        dy_(dy),
        pad_top_(pad_top),
        pad_left_(pad_left),
        extent_(extent),
        results_(kSize + 1 - extent),
        grid_(dy.shape[0], dy.shape[2], dy.shape[3], kSize + 1 - extent) {
    const int64_t c = x.shape[1], o = dy.shape[1];
    chunk_ = chunk_of(grid_.tiles, c, o);
    v_ = builder.scratch(bytes_of(chunk_, c));
    d_ = builder.scratch(bytes_of(chunk_, o));
    m_ = builder.scratch(bytes_of(c, o));
    detail = "winograd";
  }

  void connect(Slot* x, Slot* dy, Slot* dw, Slot* db) {
    reads = {x, dy};
    writes = {dw, v_, d_, m_};
    db_ = db;
    if (db != nullptr) writes.push_back(db);
  }

  void run(RunContext& context) override {
    const int64_t c = x_.shape[1], o = dy_.shape[1];
    if (db_ != nullptr) std::fill_n(db_->data<float>(), o, 0.f);
    for (int64_t begin = 0; begin < grid_.tiles; begin += chunk_)
      run_chunk(begin, std::min(chunk_, grid_.tiles - begin), context.threads);
    float *dw = writes[0]->data<float>(), *m = m_->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        simd::table().winograd_weights_gradient(dw + i * o, c * o, m + i * o, pitch_of(c, o), int(extent_), o);
    };
    parallel_for(context.threads, c, 1, some, 1);
  }

 private:
  void run_chunk(int64_t begin, int64_t count, int threads) const {
    const int64_t c = x_.shape[1], o = dy_.shape[1];
    const simd::Table& table = simd::table();
    float *v = v_->data<float>(), *d = d_->data<float>(), *m = m_->data<float>();
    const auto spread = [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const float *x = reads[0]->data<float>(), *dy = reads[1]->data<float>();
        const WinogradTile of_x = grid_.tile(begin + i, x_, kSize, pad_top_, pad_left_, x);
        table.winograd_image(v + i * c, pitch_of(count, c), x, of_x);
        const WinogradTile of_dy = grid_.tile(begin + i, dy_, results_, 0, 0, dy);
        table.winograd_result_gradient(d + i * o, pitch_of(count, o), dy, of_dy, int(results_));
      }
    };
    const auto multiply = [&](int64_t p) {
      product(true, c, o, count, v + p * pitch_of(count, c), d + p * pitch_of(count, o), m + p * pitch_of(c, o),
              begin > 0);
    };
    parallel_for(threads, count, 1, spread, 1);
    if (db_ != nullptr) add_sums(d + (kSize + 1) * pitch_of(count, o), count);
    parallel_tasks(threads, kPlaces, false, multiply);
  }

  void add_sums(const float* sums, int64_t count) const {
    float* db = db_->data<float>();
    const int64_t o = dy_.shape[1];
    for (int64_t i = 0; i < count; ++i) simd::table().add_row[simd::kF32](db, sums + i * o, o);
  }

  const Images x_, dy_;
  const int64_t pad_top_, pad_left_, extent_, results_;
  const Grid grid_;
  int64_t chunk_;
  Slot *v_, *d_, *m_, *db_ = nullptr;
};

Images images(const Shape& shape, const memory::desc& desc) { return {shape, Layout::of(desc)}; }

}  // namespace

bool winograd_pays(const Shape& x, const Shape& w, const Shape& y) {
  const int64_t extent = w[2], c = x[1], o = y[1];
  if (w[3] != extent || (extent != 3 && extent != 5)) return false;
  if (std::min(c, o) < min_channels() || c % kLanes != 0 || o % kLanes != 0) return false;
  const auto saved = [extent](int64_t rows, int64_t columns) {
    const int64_t step = kSize + 1 - extent;
    const int64_t tiles = ((rows + step - 1) / step) * ((columns + step - 1) / step);
    return double(rows * columns * extent * extent) / double(tiles * kPlaces);
  };
  return saved(y[2], y[3]) >= kMinSaved && saved(x[2], x[3]) >= kMinSaved;
}

bool winograd_reads(const memory::desc& images) {
  const Layout layout = Layout::of(images);
  if (images.get_data_type() != memory::data_type::f32 || layout.has_padding()) return false;
  if (layout.block_axis.empty()) return layout.strides[1] == 1;  // channels last
  return layout.block_axis == std::vector<int>{1} && layout.block_size[0] % kLanes == 0;
}

memory::desc winograd_weights(const Shape& w) { return {w, memory::data_type::f32, memory::format_tag::hwio}; }

std::unique_ptr<Step> winograd_forward(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* x,
                                       Slot* w, Slot* bias, bool relu) {
  auto step = std::make_unique<Correlate>(builder, images(spec.x, spec.x_desc), images(spec.y, spec.y_desc),
                                          spec.pad_top, spec.pad_left, spec.w[2], false);
  x = builder.with_desc(x, spec.x_desc);
  w = builder.with_desc(w, winograd_weights(spec.w));
  step->connect(x, w, bias, relu, builder.output(node, 0, spec.y_desc));
  return step;
}

std::unique_ptr<Step> winograd_grad_input(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* dy,
                                          Slot* w) {
  const int64_t turn = spec.w[2] - 1;
  auto step = std::make_unique<Correlate>(builder, images(spec.y, spec.y_desc), images(spec.x, spec.x_desc),
                                          turn - spec.pad_top, turn - spec.pad_left, spec.w[2], true);
  dy = builder.with_desc(dy, spec.y_desc);
  w = builder.with_desc(w, winograd_weights(spec.w));
  step->connect(dy, w, nullptr, false, builder.output(node, 0, spec.x_desc));
  return step;
}

std::unique_ptr<Step> winograd_grad_weight(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* x,
                                           Slot* dy, bool sum_dy) {
  auto step = std::make_unique<GradWeight>(builder, images(spec.x, spec.x_desc), images(spec.y, spec.y_desc),
                                           spec.pad_top, spec.pad_left, spec.w[2]);
  x = builder.with_desc(x, spec.x_desc);
  dy = builder.with_desc(dy, spec.y_desc);
  Slot* dw = builder.output(node, 0, winograd_weights(spec.w));
  step->connect(x, dy, dw, sum_dy ? builder.output(node, 1, row_major_desc(DType::f32, {spec.w[0]})) : nullptr);
  return step;
}

}  // namespace ostrich::cpu
