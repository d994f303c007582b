// The gradient of weights by Winograd's form in bf16: a sum over all tiles, in chunks that all threads share.
#include "cpu/kernels/winograd_bf16.h"
#include "cpu/kernels/winograd_pieces.h"
#include "cpu/kernels/winograd_tiles.h"
#include "cpu/parallel.h"
#include "cpu/simd/bf16/bf16_table.h"

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
constexpr int64_t kChunkBytes = 2 << 20;  // transformed tiles of a chunk, at least

class GradWeight : public Step {
 public:
  GradWeight(Builder& builder, const WinogradSpec& spec)
      : pieces_(spec.w[2]),
        x_(spec.x, spec.x_desc),
        dy_(spec.y, spec.y_desc),
        extent_(spec.w[2]),
        groups_(spec.groups),
        pad_top_(spec.pad_top),
        pad_left_(spec.pad_left),
        grid_(dy_.shape[0], dy_.shape[2], dy_.shape[3], kResults) {
    const int64_t c = x_.shape[1], o = dy_.shape[1], sums = pieces_.products * m_pitch() * int64_t(sizeof(float)),
                  tile = (pieces_.products * c + kPlaces * o) * int64_t(sizeof(uint16_t));
    chunk_ = std::min((grid_.tiles + 1) / 2 * 2, std::max(kChunkBytes, sums) / tile / 2 * 2 + 2);
    v_ = builder.scratch(size_t(pieces_.products * pitch(c)) * sizeof(uint16_t));
    d_ = builder.scratch(size_t(kPlaces * pitch(o)) * sizeof(uint16_t));
    m_ = builder.scratch(size_t(sums));
    detail = "winograd";
  }

  void connect(Slot* x, Slot* dy, Slot* dw, Slot* db) {
    reads = {x, dy};
    writes = {dw, v_, d_, m_};
    db_ = db;
    if (db != nullptr) writes.push_back(db);
  }

  void run(RunContext& context) override {
    const int64_t o = dy_.shape[1];
    for (int64_t begin = 0; begin < grid_.tiles; begin += chunk_)
      run_chunk(begin, std::min(chunk_, grid_.tiles - begin), context.threads);
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) gather(i);
    };
    parallel_for(context.threads, o / kColumns * rows(), 1, some, 1);
    if (db_ != nullptr) parallel_for(context.threads, o, 1, [&](int64_t first, int64_t last) { sum(first, last); });
  }

 private:
  // v, d: for each product or place a packed matrix with a row for each tile; m [products][o / 32][c/groups][32].
  int64_t rows() const { return x_.shape[1] / groups_; }
  int64_t block() const { return chunk_ * kColumns; }
  int64_t pitch(int64_t channels) const { return chunk_ * channels + kGap; }
  int64_t m_pitch() const { return rows() * dy_.shape[1] + kGap; }

  void spread(int64_t begin, int64_t count, int64_t pair) const {
    const bool lonely = pair * 2 + 1 == count;
    const int64_t tiles[2] = {begin + pair * 2, begin + pair * 2 + (lonely ? 0 : 1)};
    const uint16_t* from[2];
    WinogradTile parts[2];
    const auto take = [&](const program::Slot* slot, const Images& images, int64_t size, int64_t pad_top,
                          int64_t pad_left) {
      for (int64_t i = 0; i < 2; ++i) {
        from[i] = slot->data<uint16_t>();
        parts[i] = grid_.tile(tiles[i], images, size, pad_top, pad_left, from[i]);
      }
      if (lonely) parts[1].row_end = 0;
    };
    for (const Pieces::Piece& piece : pieces_.all) {
      take(reads[0], x_, Bf16Table::kSize, pad_top_ - piece.top, pad_left_ - piece.left);
      loops().image_pair[piece.rows == 2][piece.columns == 2](
          v_->data<uint16_t>() + pair * 2 * kColumns, piece.offsets(pitch(x_.shape[1])).data(), block(), from, parts);
    }
    take(reads[1], dy_, kResults, 0, 0);
    Pieces::Offsets places;
    for (size_t p = 0; p < places.size(); ++p) places[p] = int64_t(p) * pitch(dy_.shape[1]);
    loops().result_gradient_pair(d_->data<uint16_t>() + pair * 2 * kColumns, places.data(), block(), from, parts);
  }

  void run_chunk(int64_t begin, int64_t count, int threads) const {
    const int64_t c = x_.shape[1], o = dy_.shape[1], pairs = (count + 1) / 2, columns = o / kColumns;
    parallel_for(
        threads, pairs, 1,
        [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) spread(begin, count, i);
        },
        1);
    parallel_tasks(threads, pieces_.products * columns, false, [&](int64_t task) {
      const int64_t product = task / columns, column = task % columns, group = column * kColumns / (o / groups_);
      const auto place =
          std::upper_bound(pieces_.first.begin(), pieces_.first.end(), product) - pieces_.first.begin() - 1;
      const uint16_t* b = d_->data<uint16_t>() + place * pitch(o) + column * block();
      float* m = m_->data<float>() + product * m_pitch() + column * rows() * kColumns;
      for (int64_t row = 0; row < rows(); row += kColumns) {
        const uint16_t* a = v_->data<uint16_t>() + product * pitch(c) + (group * rows() + row) / kColumns * block();
        loops().packed_product(m + row * kColumns, kColumns, a, b, pairs, begin > 0);
      }
    });
  }

  // Row i of a block of 32 columns of dw.
  void gather(int64_t i) const {
    const int64_t row = i % rows(), column = i / rows() * kColumns, o = dy_.shape[1], step = rows() * o;
    const bool narrow = writes[0]->dtype == core::DType::bf16;
    for (const Pieces::Piece& piece : pieces_.all) {
      const WinogradWeights shape = {piece.rows, piece.columns, extent_ * step, step};
      const int64_t at = (piece.top * extent_ + piece.left) * step + row * o + column;
      char* dw = writes[0]->data<char>() + size_t(at) * core::size_of(writes[0]->dtype);
      loops().weights_gradient[narrow ? simd::kBf16 : simd::kF32](dw, m_->data<float>() + i * kColumns,
                                                                  piece.offsets(m_pitch()).data(), shape, kColumns);
    }
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

  const Pieces pieces_;
  const Images x_, dy_;
  const int64_t extent_, groups_, pad_top_, pad_left_;
  const Grid grid_;
  int64_t chunk_;
  Slot *v_, *d_, *m_, *db_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> winograd_bf16_grad_weight(Builder& builder, const WinogradSpec& spec, Slot* x, Slot* dy, Slot* dw,
                                                Slot* db) {
  auto step = std::make_unique<GradWeight>(builder, spec);
  step->connect(x, dy, dw, db);
  return step;
}

}  // namespace ostrich::cpu
