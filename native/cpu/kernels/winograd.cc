// The images are done in chunks of tiles: transform, 36 products, transform back. A chunk's buffers stay in a cache
// that the cores share, and what a result is made of does not depend on the number of threads.
#include "cpu/kernels/winograd.h"

#include "cpu/kernels/winograd_bf16.h"
#include "cpu/kernels/winograd_few.h"
#include "cpu/kernels/winograd_pieces.h"
#include "cpu/kernels/winograd_tiles.h"
#include "cpu/parallel.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using core::Shape;
using dnnl::memory;
using program::NodeSpec;
using simd::WinogradTile;
using winograd::bytes_of;
using winograd::chunk_of;
using winograd::Grid;
using winograd::Images;
using winograd::kPlaces;
using winograd::kSize;
using winograd::pitch_of;
using winograd::Product;

constexpr int64_t kLanes = WinogradTile::kLanes;
constexpr double kMinSaved = 1.5;  // multiplications of the direct form for one of these

// Channels below which the transforms cost more than the products save, where weights stay in a core's cache.
constexpr int64_t kFewestChannels = 16;
// The same where they do not. With AVX-512 the direct form is twice as fast, and the transforms, which wait for memory,
// are not.
int64_t min_channels() {
  static const int64_t channels = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 64 : 32;
  return channels;
}

// y = w * x, w [R, R, C/groups, O] as it lies; or, with the weights turned, dx from dy.
class Correlate : public Step {
 public:
  Correlate(Builder& builder, const WinogradSpec& spec, bool turned)
      : from_(turned ? spec.y : spec.x, turned ? spec.y_desc : spec.x_desc),
        to_(turned ? spec.x : spec.y, turned ? spec.x_desc : spec.y_desc),
        extent_(spec.w[2]),
        results_(kSize + 1 - extent_),
        groups_(spec.groups),
        pad_top_(turned ? extent_ - 1 - spec.pad_top : spec.pad_top),
        pad_left_(turned ? extent_ - 1 - spec.pad_left : spec.pad_left),
        outer_(spec.w[1]),
        inner_(spec.w[0]),
        grid_(to_.shape[0], to_.shape[2], to_.shape[3], results_),
        turned_(turned) {
    const int64_t c = from_.shape[1], o = to_.shape[1];
    chunk_ = chunk_of(grid_.tiles, c + o, outer_ * inner_);
    u_ = builder.scratch(bytes_of(outer_, inner_));
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
  // u [36][C/groups][O] of w [R, R, C/groups, O].
  void transform_weights(int threads) const {
    const float* w = reads[1]->data<float>();
    float* u = u_->data<float>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        simd::table().winograd_weights(u + i * inner_, pitch_of(outer_, inner_), w + i * inner_, outer_ * inner_,
                                       int(extent_), turned_, inner_);
    };
    parallel_for(threads, outer_, 1, some, 1);
  }

  void run_chunk(int64_t begin, int64_t count, int threads) const {
    const int64_t c = from_.shape[1], o = to_.shape[1];
    const simd::Table& table = simd::table();
    float *u = u_->data<float>(), *v = v_->data<float>(), *m = m_->data<float>();
    const auto spread = [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const float* x = reads[0]->data<float>();
        const WinogradTile tile = grid_.tile(begin + i, from_, kSize, pad_top_, pad_left_, x);
        table.winograd_image[simd::kF32](v + i * c, pitch_of(count, c), x, tile);
      }
    };
    const int64_t k = c / groups_, n = o / groups_;
    const Product product = {false, turned_, count, n, k, c, inner_, o};
    const auto multiply = [&](int64_t task) {
      const int64_t p = task / groups_, group = task % groups_;
      product.run(v + p * pitch_of(count, c) + group * k, u + p * pitch_of(outer_, inner_) + group * (turned_ ? k : n),
                  m + p * pitch_of(count, o) + group * n, false);
    };
    const auto gather = [&](int64_t first, int64_t last) {
      const float* bias = bias_ != nullptr ? bias_->data<float>() : nullptr;
      for (int64_t i = first; i < last; ++i) {
        float* y = writes[0]->data<float>();
        const WinogradTile tile = grid_.tile(begin + i, to_, results_, 0, 0, y);
        table.winograd_result[simd::kF32](y, m + i * o, pitch_of(count, o), tile, int(results_), bias, relu_);
      }
    };
    parallel_for(threads, count, 1, spread, 1);
    parallel_tasks(threads, kPlaces * groups_, false, multiply);
    parallel_for(threads, count, 1, gather, 1);
  }

  const Images from_, to_;
  const int64_t extent_, results_, groups_, pad_top_, pad_left_;
  const int64_t outer_, inner_;  // of the weights: C/groups and O
  const Grid grid_;
  const bool turned_;
  int64_t chunk_;
  Slot *u_, *v_, *m_, *bias_ = nullptr;
  bool relu_ = false;
};

// dw [R, R, C/groups, O] from x and dy, and the sums of dy: place (1, 1) of A dy A^T is the sum of a tile.
class GradWeight : public Step {
 public:
  GradWeight(Builder& builder, const WinogradSpec& spec)
      : x_(spec.x, spec.x_desc),
        dy_(spec.y, spec.y_desc),
        extent_(spec.w[2]),
        results_(kSize + 1 - extent_),
        groups_(spec.groups),
        pad_top_(spec.pad_top),
        pad_left_(spec.pad_left),
        grid_(dy_.shape[0], dy_.shape[2], dy_.shape[3], results_) {
    const int64_t c = x_.shape[1], o = dy_.shape[1];
    chunk_ = chunk_of(grid_.tiles, c + o, c / groups_ * o);
    v_ = builder.scratch(bytes_of(chunk_, c));
    d_ = builder.scratch(bytes_of(chunk_, o));
    m_ = builder.scratch(bytes_of(c / groups_, o));
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
        table.winograd_image[simd::kF32](v + i * c, pitch_of(count, c), x, of_x);
        const WinogradTile of_dy = grid_.tile(begin + i, dy_, results_, 0, 0, dy);
        table.winograd_result_gradient[simd::kF32](d + i * o, pitch_of(count, o), dy, of_dy, int(results_));
      }
    };
    const int64_t rows = c / groups_, columns = o / groups_;
    const Product product = {true, false, rows, columns, count, c, o, o};
    const auto multiply = [&](int64_t task) {
      const int64_t p = task / groups_, group = task % groups_;
      product.run(v + p * pitch_of(count, c) + group * rows, d + p * pitch_of(count, o) + group * columns,
                  m + p * pitch_of(rows, o) + group * columns, begin > 0);
    };
    parallel_for(threads, count, 1, spread, 1);
    if (db_ != nullptr) add_sums(d + (kSize + 1) * pitch_of(count, o), count);
    parallel_tasks(threads, kPlaces * groups_, false, multiply);
  }

  void add_sums(const float* sums, int64_t count) const {
    float* db = db_->data<float>();
    const int64_t o = dy_.shape[1];
    for (int64_t i = 0; i < count; ++i) simd::table().add_row[simd::kF32](db, sums + i * o, o);
  }

  const Images x_, dy_;
  const int64_t extent_, results_, groups_, pad_top_, pad_left_;
  const Grid grid_;
  int64_t chunk_;
  Slot *v_, *d_, *m_, *db_ = nullptr;
};

// Which of the forms convolves images of `dtype` with weights w [O, C/groups, R, R].
enum class Form { none, few, many, narrow };

Form form_of(DType dtype, const Shape& w, int64_t groups) {
  const int64_t c = w[1], o = w[0] / groups, fewest = std::min(c, o);
  const auto are_whole = [=](int64_t channels) { return c % channels == 0 && o % channels == 0; };
  if (!are_whole(kLanes) || (dtype == DType::bf16 && !winograd_bf16())) return Form::none;
  if (winograd_few(w, groups)) return fewest >= kFewestChannels ? Form::few : Form::none;
  if (dtype == DType::bf16)
    return fewest >= min_channels() && are_whole(simd::Bf16Table::kColumns) ? Form::narrow : Form::none;
  return fewest >= min_channels() ? Form::many : Form::none;
}

}  // namespace

bool winograd_pays(DType dtype, DType result, const Shape& x, const Shape& w, const Shape& y, int64_t groups) {
  const int64_t extent = w[2];
  if (w[3] != extent || (extent != 3 && extent != 5)) return false;
  const Form form = form_of(dtype, w, groups);
  if (form == Form::none || (result != dtype && form != Form::few)) return false;
  const int64_t step = form == Form::narrow ? simd::Bf16Table::kResults : kSize + 1 - extent;
  const int64_t products = form == Form::narrow ? winograd::Pieces(extent).products : kPlaces;
  const auto saved = [=](int64_t rows, int64_t columns) {
    const int64_t tiles = ((rows + step - 1) / step) * ((columns + step - 1) / step);
    return double(rows * columns * extent * extent) / double(tiles * products);
  };
  return saved(y[2], y[3]) >= kMinSaved && saved(x[2], x[3]) >= kMinSaved;
}

bool winograd_reads(const memory::desc& images) {
  const Layout layout = Layout::of(images);
  if (layout.has_padding()) return false;
  if (layout.block_axis.empty()) return layout.strides[1] == 1;  // channels last
  const int64_t whole = images.get_data_type() == memory::data_type::bf16 ? 2 * kLanes : kLanes;
  return layout.block_axis == std::vector<int>{1} && layout.block_size[0] % whole == 0;
}

memory::desc winograd_weights(DType dtype, const Shape& w) { return {w, dnnl_type(dtype), memory::format_tag::hwio}; }

namespace {

// y from x or, `turned`, dx from dy.
std::unique_ptr<Step> correlate(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, bool turned,
                                Slot* from, Slot* w, Slot* bias, DType result, bool relu) {
  from = builder.with_desc(from, turned ? spec.y_desc : spec.x_desc);
  w = builder.with_desc(w, winograd_weights(from->dtype, spec.w));
  Slot* to = builder.output(node, 0, find_desc(result, Layout::of(turned ? spec.x_desc : spec.y_desc)));
  const Form form = form_of(from->dtype, spec.w, spec.groups);
  if (form == Form::narrow) return winograd_bf16_correlate(builder, spec, turned, from, w, bias, relu, to);
  if (form == Form::few) return winograd_few_correlate(builder, spec, turned, from, w, bias, relu, to);
  auto step = std::make_unique<Correlate>(builder, spec, turned);
  step->connect(from, w, bias, relu, to);
  return step;
}

}  // namespace

std::unique_ptr<Step> winograd_forward(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* x,
                                       Slot* w, Slot* bias, DType result, bool relu) {
  return correlate(builder, node, spec, false, x, w, bias, result, relu);
}

std::unique_ptr<Step> winograd_grad_input(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* dy,
                                          Slot* w, DType result) {
  return correlate(builder, node, spec, true, dy, w, nullptr, result, false);
}

std::unique_ptr<Step> winograd_grad_weight(Builder& builder, const NodeSpec& node, const WinogradSpec& spec, Slot* x,
                                           Slot* dy, DType result, bool sum_dy) {
  x = builder.with_desc(x, spec.x_desc);
  dy = builder.with_desc(dy, spec.y_desc);
  Slot* dw = builder.output(node, 0, winograd_weights(result, spec.w));
  Slot* db = sum_dy ? builder.output(node, 1, row_major_desc(DType::f32, {spec.w[0]})) : nullptr;
  const Form form = form_of(x->dtype, spec.w, spec.groups);
  if (form == Form::narrow) return winograd_bf16_grad_weight(builder, spec, x, dy, dw, db);
  if (form == Form::few) return winograd_few_grad_weight(builder, spec, x, dy, dw, db);
  auto step = std::make_unique<GradWeight>(builder, spec);
  step->connect(x, dy, dw, db);
  return step;
}

}  // namespace ostrich::cpu
