// Local response normalisation and its gradient in the loops of every instruction set that this machine runs, for tiles
// of every layout, in f32 and bf16, against double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "core/bf16.h"
#include "cpu/simd/table.h"

namespace {

using namespace ostrich;
using cpu::simd::LrnFactors;
using cpu::simd::LrnTile;
using cpu::simd::Table;

constexpr int64_t kPlaces = 11;

// A tile of kPlaces places, and where channel c of place p lies in it.
struct Form {
  const char* name;
  LrnTile tile;
  int64_t elements;
  std::function<int64_t(int64_t c, int64_t p)> offset;
};

std::vector<Form> forms(int64_t channels) {
  std::vector<Form> made;
  made.push_back(
      {"row-major", {1, 0, channels, kPlaces, kPlaces, kPlaces}, channels * kPlaces, [](int64_t c, int64_t p) {
         return c * kPlaces + p;
       }});
  made.push_back(
      {"channels last", {kPlaces, channels, 1, channels, 0, 1}, channels * kPlaces, [=](int64_t c, int64_t p) {
         return p * channels + c;
       }});
  for (int64_t block : {8, 16}) {
    const int64_t blocks = (channels + block - 1) / block;
    made.push_back({block == 8 ? "blocks of 8" : "blocks of 16",
                    {kPlaces, block, blocks, block, kPlaces * block, 1},
                    blocks * block * kPlaces,
                    [=](int64_t c, int64_t p) { return (c / block * kPlaces + p) * block + c % block; }});
  }
  return made;
}

double value(int64_t c, int64_t p, int seed) { return std::ldexp(double((c * 37 + p * 23 + seed * 11) % 61 - 30), -4); }

double scale(int64_t channels, int64_t c, int64_t p, const LrnFactors& f) {
  double sum = 0;
  for (int64_t j = std::max<int64_t>(0, c - f.half); j <= std::min(channels - 1, c + f.half); ++j) {
    sum += value(j, p, 0) * value(j, p, 0);
  }
  return double(f.k) + double(f.alpha) * sum;
}

double gradient(int64_t channels, int64_t c, int64_t p, const LrnFactors& f) {
  double through = 0;
  for (int64_t j = std::max<int64_t>(0, c - f.half); j <= std::min(channels - 1, c + f.half); ++j) {
    through += value(j, p, 1) * value(j, p, 0) * std::pow(scale(channels, j, p, f), -double(f.beta) - 1);
  }
  return value(c, p, 1) * std::pow(scale(channels, c, p, f), -double(f.beta)) -
         2.0 * double(f.alpha) * double(f.beta) * value(c, p, 0) * through;
}

template <class T>
double widen(T x) {
  return sizeof(T) == 2 ? double(core::bf16_to_float(uint16_t(x))) : double(x);
}

// Elements that no channel has are blocks' padding: zero, and zero they must stay.
template <class T>
void check(const Table& table, int kind, const Form& form, int64_t channels, const LrnFactors& f, double tolerance) {
  std::vector<T> x(size_t(form.elements), T(0)), dy = x, y(x.size(), T(1));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t p = 0; p < kPlaces; ++p) {
      const auto store = [](double v) { return sizeof(T) == 2 ? T(core::float_to_bf16(float(v))) : T(v); };
      x[size_t(form.offset(c, p))] = store(value(c, p, 0));
      dy[size_t(form.offset(c, p))] = store(value(c, p, 1));
    }
  }
  std::vector<float> scratch(size_t(form.tile.scratch(f.half, 2)), NAN);
  const auto expect = [&](const char* what, double (*reference)(int64_t, int64_t, int64_t, const LrnFactors&)) {
    double rest = 0;
    for (const T& element : y) rest += std::fabs(widen(element));
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < kPlaces; ++p) {
        const double want = reference(channels, c, p, f), got = widen(y[size_t(form.offset(c, p))]);
        rest -= std::fabs(got);
        ASSERT_NEAR(got, want, tolerance * std::max(1.0, std::fabs(want)))
            << what << " " << table.isa << " " << form.name << ", " << channels << " channels, at " << c << " " << p;
      }
    }
    EXPECT_NEAR(rest, 0, 1e-9) << what << " " << form.name;
  };
  table.lrn[kind](y.data(), x.data(), form.tile, f, scratch.data());
  expect("lrn", [](int64_t n, int64_t c, int64_t p, const LrnFactors& g) {
    return value(c, p, 0) * std::pow(scale(n, c, p, g), -double(g.beta));
  });
  table.lrn_grad[kind](y.data(), dy.data(), x.data(), form.tile, f, scratch.data());
  expect("lrnGrad", gradient);
  y = dy;
  table.lrn_grad[kind](y.data(), y.data(), x.data(), form.tile, f, scratch.data());
  expect("lrnGrad in place", gradient);
}

TEST(SimdLrn, AgreesInEveryLayout) {
  int tables = 0;
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    const Table* table = cpu::simd::table_of(isa);
    if (table == nullptr) continue;
    ++tables;
    for (int64_t channels : {1, 5, 8, 16, 37}) {
      for (const Form& form : forms(channels)) {
        for (const LrnFactors& f :
             {LrnFactors{2, 0.25f, 0.75f, 2}, LrnFactors{4, 0.5f, 0.5f, 1}, LrnFactors{0, 1, 2, 1}}) {
          check<float>(*table, cpu::simd::kF32, form, channels, f, 2e-6);
          check<uint16_t>(*table, cpu::simd::kBf16, form, channels, f, 4e-3);
        }
      }
    }
  }
  EXPECT_GT(tables, 0);
}

// Rows lie side by side in what a tile works in: an element that is no number must not reach the next place.
TEST(SimdLrn, KeepsWhatIsNoNumberInItsPlace) {
  constexpr int64_t kChannels = 16, kBad = 4;
  const LrnFactors f{2, 0.25f, 0.75f, 2};
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    const Table* table = cpu::simd::table_of(isa);
    for (const Form& form : forms(kChannels)) {
      if (table == nullptr) continue;
      std::vector<float> x(size_t(form.elements), 0.5f), y(x), scratch(size_t(form.tile.scratch(f.half, 2)), NAN);
      x[size_t(form.offset(0, kBad))] = x[size_t(form.offset(kChannels - 1, kBad))] = NAN;
      for (const bool forward : {true, false}) {
        if (forward) table->lrn[cpu::simd::kF32](y.data(), x.data(), form.tile, f, scratch.data());
        if (!forward) table->lrn_grad[cpu::simd::kF32](y.data(), y.data(), x.data(), form.tile, f, scratch.data());
        for (int64_t p = 0; p < kPlaces; ++p) {
          const bool all = std::isfinite(y[size_t(form.offset(0, p))] + y[size_t(form.offset(kChannels - 1, p))]);
          EXPECT_EQ(all, p != kBad) << isa << " " << form.name << ", forward " << forward << ", at " << p;
        }
      }
    }
  }
}

}  // namespace
