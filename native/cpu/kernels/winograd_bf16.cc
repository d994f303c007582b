// A thread takes a few tiles from their transform to their results: they, and the products of 32 channels, stay in its
// own cache, and only weights pass by.
#include "cpu/kernels/winograd_bf16.h"

#include "cpu/kernels/winograd_pieces.h"
#include "cpu/kernels/winograd_tiles.h"
#include "cpu/parallel.h"
#include "cpu/simd/bf16/bf16_table.h"
#include "cpu/team.h"

namespace ostrich::cpu {

namespace {

using simd::Bf16Table;
using simd::WinogradTile;
using simd::WinogradWeights;
using winograd::Grid;
using winograd::Images;
using winograd::kGap;
using winograd::loops;
using winograd::Pieces;

constexpr int64_t kColumns = Bf16Table::kColumns, kPlaces = Bf16Table::kPlaces, kResults = Bf16Table::kResults;
constexpr int64_t kOwnBytes = 400 << 10;  // transformed tiles of one thread
constexpr int64_t kRows = 12;             // tiles that a product takes at once

class Correlate : public Step {
 public:
  Correlate(Builder& builder, const WinogradSpec& spec, bool turned)
      : pieces_(spec.w[2]),
        from_(turned ? spec.y : spec.x, turned ? spec.y_desc : spec.x_desc),
        to_(turned ? spec.x : spec.y, turned ? spec.x_desc : spec.y_desc),
        extent_(spec.w[2]),
        groups_(spec.groups),
        k_(from_.shape[1] / groups_),
        n_(to_.shape[1] / groups_),
        pad_top_(turned ? extent_ - 1 - spec.pad_top : spec.pad_top),
        pad_left_(turned ? extent_ - 1 - spec.pad_left : spec.pad_left),
        grid_(to_.shape[0], to_.shape[2], to_.shape[3], kResults),
        turned_(turned) {
    const int64_t c = from_.shape[1], fits = kOwnBytes / (pieces_.products * c * int64_t(sizeof(uint16_t)));
    tiles_ = std::min(grid_.tiles, std::max(2 * kRows, fits / kRows * kRows));
    v_pitch_ = tiles_ * row() + kGap;
    m_pitch_ = tiles_ * kColumns + kGap;
    u_ = builder.scratch(size_t(to_.shape[1] * pieces_.products * k_) * sizeof(uint16_t));
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
      for (int64_t i = begin; i < end; ++i) {
        for (const Pieces::Piece& piece : pieces_.all) turned_ ? transform_turned(piece, i) : transform_pair(piece, i);
      }
    };
    parallel_for(context.threads, groups_ * (turned_ ? n_ : k_ / 2), 1, some, 1);
    const int64_t parts = (grid_.tiles + tiles_ - 1) / tiles_;
    parallel_tasks(context.threads, parts, false, [&](int64_t part) {
      run_part(part * tiles_, std::min(tiles_, grid_.tiles - part * tiles_), own_part().id);
    });
  }

 private:
  // u: for each block of columns the packed matrices of its products, of k rows; w [R, R, C/groups, O].
  int64_t u_pitch() const { return k_ * kColumns; }
  int64_t block() const { return pieces_.products * u_pitch(); }
  uint16_t* block_of(int64_t column) const { return u_->data<uint16_t>() + column / kColumns * block(); }

  void transform_pair(const Pieces::Piece& piece, int64_t i) const {
    const int64_t pair = i % (k_ / 2), group = i / (k_ / 2), next = n_ * groups_, step = k_ * next;
    const WinogradWeights shape = {piece.rows, piece.columns, extent_ * step, step};
    const uint16_t* w = reads[1]->data<uint16_t>() + (piece.top * extent_ + piece.left) * step;
    loops().weights(block_of(group * n_) + pair * 2 * kColumns, piece.offsets(u_pitch()).data(), block(),
                    w + pair * 2 * next + group * n_, next, shape, n_);
  }

  void transform_turned(const Pieces::Piece& piece, int64_t i) const {
    const int64_t column = i % n_, group = i / n_, next = k_ * groups_, step = n_ * next, last = extent_ - 1;
    const WinogradWeights shape = {piece.rows, piece.columns, -extent_ * step, -step};
    const uint16_t* w = reads[1]->data<uint16_t>() + ((last - piece.top) * extent_ + last - piece.left) * step;
    loops().weights_column(block_of(i) + i % kColumns * 2, piece.offsets(u_pitch()).data(),
                           w + column * next + group * k_, shape, k_);
  }

  // v [places][tiles][groups][pieces][k]: the pieces that a place has come first.
  int64_t row() const { return groups_ * own_row(); }
  int64_t own_row() const { return int64_t(pieces_.all.size()) * k_; }

  void spread(const Pieces::Piece& piece, int64_t begin, int64_t count, uint16_t* v) const {
    Pieces::Offsets places;
    for (size_t p = 0; p < places.size(); ++p)
      places[p] = int64_t(p) * v_pitch_ + (piece.at[p] - pieces_.first[p]) * k_;
    const auto image = loops().image[piece.rows == 2][piece.columns == 2];
    for (int64_t i = 0; i < count; ++i) {
      const uint16_t* x = reads[0]->data<uint16_t>();
      WinogradTile tile =
          grid_.tile(begin + i, from_, Bf16Table::kSize, pad_top_ - piece.top, pad_left_ - piece.left, x);
      tile.channels = k_;
      for (int64_t group = 0; group < groups_; ++group)
        image(v + i * row() + group * own_row(), places.data(), x + from_.channel(group * k_), tile);
    }
  }

  void run_part(int64_t begin, int64_t count, int64_t thread) const {
    uint16_t* v = v_->data<uint16_t>() + thread * kPlaces * v_pitch_;
    float* m = m_->data<float>() + thread * kPlaces * m_pitch_;
    for (const Pieces::Piece& piece : pieces_.all) spread(piece, begin, count, v);
    for (int64_t column = 0; column < to_.shape[1]; column += kColumns) {
      const uint16_t *a = v + column / n_ * own_row(), *b = block_of(column);
      for (size_t p = 0; p < Pieces::kPlaces; ++p) {
        const int64_t first = pieces_.first[p], pairs = (pieces_.first[p + 1] - first) * k_ / 2;
        loops().product(m + int64_t(p) * m_pitch_, kColumns, a + int64_t(p) * v_pitch_, row(), count,
                        b + first * u_pitch(), pairs);
      }
      const float* bias = bias_ != nullptr ? bias_->data<float>() + column : nullptr;
      for (int64_t i = 0; i < count; ++i) {
        uint16_t* y = writes[0]->data<uint16_t>();
        WinogradTile tile = grid_.tile(begin + i, to_, kResults, 0, 0, y);
        tile.channels = kColumns;
        loops().result(y + to_.channel(column), m + i * kColumns, m_pitch_, tile, bias, relu_);
      }
    }
  }

  const Pieces pieces_;
  const Images from_, to_;
  const int64_t extent_, groups_, k_, n_;  // k, n: channels of a group
  const int64_t pad_top_, pad_left_;
  const Grid grid_;
  const bool turned_;
  int64_t tiles_, v_pitch_, m_pitch_;  // tiles: of one thread at a time
  Slot *u_, *v_, *m_, *bias_ = nullptr;
  bool relu_ = false;
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

}  // namespace ostrich::cpu
