#include "cpu/kernels/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "cpu/parallel.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kPiece = 16384;  // elements
constexpr int64_t kAlone = 32768;  // elements below which one thread copies
constexpr int64_t kTile = 16;

// to[i * to_height + j] = from[i + j * from_step]
template <class T>
void transpose(T* to, const T* from, int64_t height, int64_t length, int64_t to_height, int64_t from_step) {
  for (int64_t j0 = 0; j0 < length; j0 += kTile) {
    const int64_t width = std::min(kTile, length - j0);
    if (height == kTile && width == kTile) {
      T tile[kTile][kTile];
      for (int64_t j = 0; j < kTile; ++j) std::memcpy(tile[j], from + (j0 + j) * from_step, sizeof tile[j]);
      for (int64_t i = 0; i < kTile; ++i) {
        T row[kTile];
        for (int64_t j = 0; j < kTile; ++j) row[j] = tile[j][i];
        std::memcpy(to + i * to_height + j0, row, sizeof row);
      }
      continue;
    }
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = j0; j < j0 + width; ++j) to[i * to_height + j] = from[i + j * from_step];
    }
  }
}

}  // namespace

StridedCopy::StridedCopy(const core::Shape& dims, const core::Shape& to_strides, const core::Shape& from_strides,
                         size_t size)
    : size_(size) {
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == 1) continue;
    const bool joined = !dims_.empty() && to_.back() == dims[axis] * to_strides[axis] &&
                        from_.back() == dims[axis] * from_strides[axis];
    if (joined) {
      dims_.back() *= dims[axis];
      to_.back() = to_strides[axis];
      from_.back() = from_strides[axis];
      continue;
    }
    dims_.push_back(dims[axis]);
    to_.push_back(to_strides[axis]);
    from_.push_back(from_strides[axis]);
  }
  const auto take = [](core::Shape& shape, size_t axis) {
    const int64_t value = shape[axis];
    shape.erase(shape.begin() + long(axis));
    return value;
  };
  if (!dims_.empty()) {
    const size_t last = dims_.size() - 1;
    length_ = take(dims_, last);
    to_step_ = take(to_, last);
    from_step_ = take(from_, last);
  }
  const auto across = std::find(from_.begin(), from_.end(), 1);
  if (to_step_ == 1 && from_step_ == 1) {
    inner_ = Inner::rows;
  } else if (to_step_ == 1 && from_step_ == 0) {
    inner_ = Inner::repeat;
  } else if (to_step_ == 1 && across != from_.end()) {
    inner_ = Inner::tiles;
    const size_t axis = size_t(across - from_.begin());
    height_ = take(dims_, axis);
    to_height_ = take(to_, axis);
    take(from_, axis);
  }
  outer_ = core::count(dims_);
  piece_ = inner_ == Inner::tiles ? kTile : std::min(kPiece, length_);
  pieces_ = inner_ == Inner::tiles ? (height_ + kTile - 1) / kTile : (length_ + piece_ - 1) / piece_;
}

StridedCopy::Place StridedCopy::outer_place(int64_t index) const {
  Place place{0, 0};
  for (size_t axis = dims_.size(); axis-- > 0; index /= dims_[axis]) {
    place.to += index % dims_[axis] * to_[axis];
    place.from += index % dims_[axis] * from_[axis];
  }
  return place;
}

template <class T>
void StridedCopy::piece(T* to, const T* from, int64_t task) const {
  const Place place = outer_place(task / pieces_);
  const int64_t at = task % pieces_ * piece_;
  if (inner_ == Inner::tiles) {
    transpose(to + place.to + at * to_height_, from + place.from + at, std::min(kTile, height_ - at), length_,
              to_height_, from_step_);
    return;
  }
  T* y = to + place.to + at * to_step_;
  const T* x = from + place.from + at * from_step_;
  const int64_t n = std::min(piece_, length_ - at);
  if (inner_ == Inner::rows) {
    std::memcpy(y, x, size_t(n) * sizeof(T));
  } else if (inner_ == Inner::repeat) {
    std::fill(y, y + n, *x);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * to_step_] = x[i * from_step_];
  }
}

void StridedCopy::run(int threads, char* to, const char* from) const {
  const int64_t tasks = outer_ * pieces_, work = outer_ * height_ * length_;
  const int64_t grain = std::max<int64_t>(1, kAlone * tasks / work);
  parallel_for(
      threads, tasks, grain,
      [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          if (size_ == 4)
            piece(reinterpret_cast<uint32_t*>(to), reinterpret_cast<const uint32_t*>(from), task);
          else if (size_ == 2)
            piece(reinterpret_cast<uint16_t*>(to), reinterpret_cast<const uint16_t*>(from), task);
          else
            piece(reinterpret_cast<uint8_t*>(to), reinterpret_cast<const uint8_t*>(from), task);
        }
      },
      1);
}

}  // namespace ostrich::cpu
