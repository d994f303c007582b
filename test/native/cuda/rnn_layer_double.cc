// See rnn_layer_double.h.
#include "rnn_layer_double.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>

#include "math/convert.h"

namespace ostrich::cuda::host {
namespace {

using Values = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Numbers {
  core::DType dtype;
  double get(const void* data, size_t i) const {
    return dtype == core::DType::bf16 ? math::bf16_to_float(static_cast<const uint16_t*>(data)[i])
                                      : static_cast<const float*>(data)[i];
  }
  void set(void* data, size_t i, double value) const {
    if (dtype == core::DType::bf16) static_cast<uint16_t*>(data)[i] = math::float_to_bf16(float(value));
    if (dtype == core::DType::f32) static_cast<float*>(data)[i] = float(value);
  }
  size_t size() const { return core::size_of(dtype); }
};

// What a forward keeps: activations of each gate and c, then a sum over both.
class Reserve {
 public:
  Reserve(const RnnSpec& s, void* memory)
      : steps_(size_t(s.t * s.n * s.h)), gates_(size_t(s.gates())), data_(static_cast<double*>(memory)) {}
  static size_t bytes(const RnnSpec& s) { return (size_t(s.t * s.n * s.h) * size_t(s.gates() + 1) + 1) * 8; }
  double& gate(size_t i, size_t gate) { return data_[i * gates_ + gate]; }
  double& c(size_t i) { return data_[steps_ * gates_ + i]; }
  double& sum() { return data_[steps_ * (gates_ + 1)]; }
  double expected_sum() const { return std::accumulate(data_, data_ + steps_ * (gates_ + 1), 1.0); }

 private:
  size_t steps_, gates_;
  double* data_;
};

class Layer {
 public:
  Layer(const RnnSpec& spec, const std::vector<Place>& places, const RnnPointers& pointers)
      : s_(spec), places_(places), p_(pointers), numbers_{spec.dtype} {}

  void forward() {
    Reserve kept(s_, s_.training ? p_.reserve : own_reserve());
    for (int64_t t = 0; t < s_.t; ++t) {
      for (int64_t n = 0; n < s_.n; ++n) {
        for (int64_t h = 0; h < s_.h; ++h) step(kept, t, n, h);
      }
    }
    kept.sum() = kept.expected_sum();
    if (p_.c_last == nullptr) return;
    for (size_t i = 0; i < states(); ++i) numbers_.set(p_.c_last, i, kept.c(size_t(s_.t - 1) * states() + i));
  }

  std::string backward() {
    Reserve kept(s_, p_.reserve);
    const double sum = kept.sum(), expected = kept.expected_sum();
    if (!(sum == expected) && !(std::isnan(sum) && std::isnan(expected))) {
      return "the reserve of a recurrent layer has changed since its forward";
    }
    dz_.assign(size_t(s_.t) * states() * size_t(s_.gates()), 0);
    Values dh(states(), 0), dc(states(), 0);
    for (int64_t t = s_.t - 1; t >= 0; --t) step_back(kept, t, dh, dc);
    for (size_t i = 0; i < states(); ++i) {
      if (p_.dh0 != nullptr) numbers_.set(p_.dh0, i, dh[i]);
      if (p_.dc0 != nullptr) numbers_.set(p_.dc0, i, dc[i]);
    }
    add_weights();
    return "";
  }

 private:
  size_t states() const { return size_t(s_.n * s_.h); }
  size_t at(int64_t t, int64_t n, int64_t h) const { return size_t((t * s_.n + n) * s_.h + h); }
  double weight(size_t place, int64_t row, int64_t columns, int64_t column) const {
    return numbers_.get(static_cast<const char*>(p_.weights) + place, size_t(row * columns + column));
  }
  double x(int64_t t, int64_t n, int64_t d) const { return numbers_.get(p_.x, size_t((t * s_.n + n) * s_.d + d)); }
  double before(int64_t t, int64_t n, int64_t h) const {
    return t == 0 ? numbers_.get(p_.h0, at(0, n, h)) : numbers_.get(p_.y, at(t - 1, n, h));
  }
  double c_before(Reserve& kept, int64_t t, int64_t n, int64_t h) const {
    return t == 0 ? numbers_.get(p_.c0, at(0, n, h)) : kept.c(at(t - 1, n, h));
  }
  double* own_reserve() {
    inference_.resize(Reserve::bytes(s_) / 8);
    return inference_.data();
  }

  void step(Reserve& kept, int64_t t, int64_t n, int64_t h) {
    double a[4] = {};
    for (size_t gate = 0; gate < size_t(s_.gates()); ++gate) {
      const Place& place = places_[gate];
      double z = weight(place.bias, h, 1, 0) + weight(place.second_bias, h, 1, 0);
      for (int64_t d = 0; d < s_.d; ++d) z += weight(place.input, h, s_.d, d) * x(t, n, d);
      for (int64_t j = 0; j < s_.h; ++j) z += weight(place.recurrent, h, s_.h, j) * before(t, n, j);
      const bool is_tanh = s_.cell == Cell::tanh || gate == 2;
      a[gate] = is_tanh ? std::tanh(z) : sigmoid(z);
      kept.gate(at(t, n, h), gate) = a[gate];
    }
    double y = a[0];
    kept.c(at(t, n, h)) = 0;
    if (s_.cell == Cell::lstm) {
      const double c = a[1] * c_before(kept, t, n, h) + a[0] * a[2];
      kept.c(at(t, n, h)) = c;
      y = a[3] * std::tanh(c);
    }
    numbers_.set(p_.y, at(t, n, h), y);
  }

  // dz of one unit at one step; dc becomes that of the c before.
  void gradient(Reserve& kept, int64_t t, int64_t n, int64_t h, double dh, double& dc) {
    const size_t i = at(t, n, h), z = i * size_t(s_.gates());
    const double first = kept.gate(i, 0);
    if (s_.cell == Cell::tanh) dz_[z] = dh * (1 - first * first);
    if (s_.cell != Cell::lstm) return;
    const double f = kept.gate(i, 1), g = kept.gate(i, 2), o = kept.gate(i, 3), tanh_c = std::tanh(kept.c(i));
    const double all = dc + dh * o * (1 - tanh_c * tanh_c);
    dz_[z] = all * g * first * (1 - first);
    dz_[z + 1] = all * c_before(kept, t, n, h) * f * (1 - f);
    dz_[z + 2] = all * first * (1 - g * g);
    dz_[z + 3] = dh * tanh_c * o * (1 - o);
    dc = all * f;
  }

  void step_back(Reserve& kept, int64_t t, Values& dh, Values& dc) {
    for (int64_t n = 0; n < s_.n; ++n) {
      for (int64_t h = 0; h < s_.h; ++h) {
        const size_t i = at(0, n, h);
        gradient(kept, t, n, h, dh[i] + numbers_.get(p_.dy, at(t, n, h)), dc[i]);
      }
      for (int64_t d = 0; d < s_.d; ++d) numbers_.set(p_.dx, size_t((t * s_.n + n) * s_.d + d), product(t, n, d, true));
      for (int64_t j = 0; j < s_.h; ++j) dh[at(0, n, j)] = product(t, n, j, false);
    }
  }

  // One element of dz times the weights of the input or of the state before.
  double product(int64_t t, int64_t n, int64_t column, bool of_input) const {
    double sum = 0;
    for (size_t gate = 0; gate < size_t(s_.gates()); ++gate) {
      const size_t place = of_input ? places_[gate].input : places_[gate].recurrent;
      for (int64_t h = 0; h < s_.h; ++h) {
        sum += dz_[at(t, n, h) * size_t(s_.gates()) + gate] * weight(place, h, of_input ? s_.d : s_.h, column);
      }
    }
    return sum;
  }

  void add(size_t place, int64_t i, double value) {
    void* data = static_cast<char*>(p_.dweights) + place;
    numbers_.set(data, size_t(i), numbers_.get(data, size_t(i)) + value);
  }

  void add_weights() {
    for (size_t gate = 0; gate < size_t(s_.gates()); ++gate) {
      const auto sum = [&](int64_t h, const auto& factor) {
        double total = 0;
        for (int64_t t = 0; t < s_.t; ++t) {
          for (int64_t n = 0; n < s_.n; ++n) total += dz_[at(t, n, h) * size_t(s_.gates()) + gate] * factor(t, n);
        }
        return total;
      };
      for (int64_t h = 0; h < s_.h; ++h) {
        for (int64_t d = 0; d < s_.d; ++d) {
          add(places_[gate].input, h * s_.d + d, sum(h, [&](int64_t t, int64_t n) { return x(t, n, d); }));
        }
        for (int64_t j = 0; j < s_.h; ++j) {
          add(places_[gate].recurrent, h * s_.h + j, sum(h, [&](int64_t t, int64_t n) { return before(t, n, j); }));
        }
        for (size_t place : {places_[gate].bias, places_[gate].second_bias}) {
          add(place, h, sum(h, [](int64_t, int64_t) { return 1.0; }));
        }
      }
    }
  }

  const RnnSpec& s_;
  const std::vector<Place>& places_;
  const RnnPointers& p_;
  const Numbers numbers_;
  Values dz_, inference_;
};

}  // namespace

std::vector<Place> draw_places(const RnnSpec& spec, size_t& bytes) {
  const char* seed = std::getenv("OSTRICH_DOUBLE_SEED");
  std::mt19937 random(seed == nullptr ? 1 : unsigned(std::atoi(seed)));
  std::vector<Place> places(size_t(spec.gates()), Place{});
  struct Block {
    size_t* place;
    int64_t elements;
  };
  std::vector<Block> blocks;
  for (Place& place : places) {
    blocks.push_back({&place.input, spec.h * spec.d});
    blocks.push_back({&place.recurrent, spec.h * spec.h});
    blocks.push_back({&place.bias, spec.h});
    blocks.push_back({&place.second_bias, spec.h});
  }
  std::shuffle(blocks.begin(), blocks.end(), random);
  const size_t size = core::size_of(spec.dtype);
  bytes = 0;
  for (const Block& block : blocks) {
    bytes += size * (1 + random() % 5);
    *block.place = bytes;
    bytes += size_t(block.elements) * size;
  }
  bytes += size;
  return places;
}

size_t reserve_bytes(const RnnSpec& spec) { return Reserve::bytes(spec); }

void compute_layer(const RnnSpec& spec, const std::vector<Place>& places, const RnnPointers& pointers) {
  Layer(spec, places, pointers).forward();
}

std::string compute_gradients(const RnnSpec& spec, const std::vector<Place>& places, const RnnPointers& pointers) {
  return Layer(spec, places, pointers).backward();
}

}  // namespace ostrich::cuda::host
