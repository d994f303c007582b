// See dnn.h. The key as text: every field, in one order, so that a key is read back by writing what was read and
// comparing.
#include "cuda/dnn.h"

#include <cstdio>
#include <iterator>
#include <sstream>
#include <string_view>

namespace ostrich::cuda {
namespace {

constexpr const char* kPasses[] = {"forward", "grad_input", "grad_weight"};
constexpr int kNumbers = 18, kWords = 3;

int pass_of(std::string_view name) {
  for (size_t i = 0; i < std::size(kPasses); ++i) {
    if (name == kPasses[i]) return int(i);
  }
  return -1;
}

// False where something is no key. The order of the words, doubled words and spaces are left to the comparison.
bool read(const std::string& key, ConvSpec& s) {
  char pass[16], in[8], out[8];
  long long v[kNumbers];
  int end = 0;
  const int found = std::sscanf(
      key.c_str(),
      "%15s n%lld c%lldx%lldx%lld o%lldx%lldx%lld k%lldx%lld s%lldx%lld d%lldx%lld p%lld,%lld,%lld,%lld g%lld "
      "%7[a-z0-9]>%7[a-z0-9]%n",
      pass, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10], &v[11], &v[12], &v[13],
      &v[14], &v[15], &v[16], &v[17], in, out, &end);
  if (found != kNumbers + kWords) return false;
  const int which = pass_of(pass);
  const auto in_dtype = core::parse_dtype(in), out_dtype = core::parse_dtype(out);
  if (which < 0 || !in_dtype || !out_dtype) return false;
  s.pass = ConvPass(which);
  s.n = v[0], s.c = v[1], s.h = v[2], s.w = v[3], s.o = v[4], s.oh = v[5], s.ow = v[6], s.kh = v[7], s.kw = v[8];
  s.stride = {v[9], v[10]};
  s.dilation = {v[11], v[12]};
  s.padding = {v[13], v[14], v[15], v[16]};
  s.groups = v[17];
  s.in = *in_dtype;
  s.out = *out_dtype;
  std::istringstream words(key.substr(size_t(end)));
  for (std::string word; words >> word;) {
    if (word == "bias") s.bias = true;
    if (word == "tf32") s.tf32 = true;
    if (word == "det") s.deterministic = true;
  }
  return true;
}

}  // namespace

std::string ConvSpec::key() const {
  std::ostringstream text;
  text << kPasses[int(pass)] << " n" << n << " c" << c << "x" << h << "x" << w << " o" << o << "x" << oh << "x" << ow
       << " k" << kh << "x" << kw << " s" << stride[0] << "x" << stride[1] << " d" << dilation[0] << "x" << dilation[1]
       << " p" << padding[0] << "," << padding[1] << "," << padding[2] << "," << padding[3] << " g" << groups << " "
       << core::name_of(in) << ">" << core::name_of(out);
  if (bias) text << " bias";
  if (tf32) text << " tf32";
  if (deterministic) text << " det";
  return text.str();
}

ConvSpec ConvSpec::parse(const std::string& key) {
  ConvSpec spec{};
  if (!read(key, spec) || spec.key() != key) {
    core::fail("ERR_ARGUMENT", "expected the key of a convolution, such as ",
               "'forward n128 c96x27x27 o256x27x27 k5x5 s1x1 d1x1 p2,2,2,2 g1 bf16>bf16 bias', got '", key, "'");
  }
  return spec;
}

}  // namespace ostrich::cuda
