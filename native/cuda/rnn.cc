// See rnn.h. A key is read back by writing what was read and comparing.
#include "cuda/rnn.h"

#include <cstdio>
#include <iterator>
#include <sstream>

#include "core/error.h"

namespace ostrich::cuda {
namespace {

constexpr const char* kCells[] = {"lstm", "tanh"};

bool read(const std::string& key, RnnSpec& spec) {
  char cell[8] = "", dtype[8] = "";
  long long v[4];
  int end = 0;
  const int found = std::sscanf(key.c_str(), "%7s t%lld n%lld d%lld h%lld %7[a-z0-9]%n", cell, &v[0], &v[1], &v[2],
                                &v[3], dtype, &end);
  const auto known = core::parse_dtype(dtype);
  if (found != 6 || !known) return false;
  for (size_t i = 0; i < std::size(kCells); ++i) {
    if (std::string(kCells[i]) == cell) spec.cell = Cell(i);
  }
  spec.t = v[0], spec.n = v[1], spec.d = v[2], spec.h = v[3];
  spec.dtype = *known;
  std::istringstream words(key.substr(size_t(end)));
  for (std::string word; words >> word;) {
    if (word == "tf32") spec.tf32 = true;
    if (word == "training") spec.training = true;
  }
  return true;
}

}  // namespace

std::string RnnSpec::key() const {
  std::ostringstream text;
  text << kCells[int(cell)] << " t" << t << " n" << n << " d" << d << " h" << h << " " << core::name_of(dtype);
  if (tf32) text << " tf32";
  if (training) text << " training";
  return text.str();
}

RnnSpec RnnSpec::parse(const std::string& key) {
  RnnSpec spec{};
  if (!read(key, spec) || spec.key() != key) {
    core::fail("ERR_ARGUMENT",
               "expected the key of a recurrent layer, such as 'lstm t35 n20 d200 h200 bf16 training', got '", key,
               "'");
  }
  return spec;
}

}  // namespace ostrich::cuda
