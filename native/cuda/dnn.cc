// See dnn.h.
#include "cuda/dnn.h"

#include <sstream>

#include "core/error.h"

namespace ostrich::cuda {

namespace {

constexpr const char* kPasses[] = {"forward", "grad_input", "grad_weight"};
constexpr const char* kActivations[] = {"none", "relu", "tanh", "sigmoid"};

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text), in_(text) {}

  template <class Enum, size_t n>
  Enum name(const char* const (&names)[n]) {
    std::string word;
    in_ >> word;
    for (size_t i = 0; i < n; ++i) {
      if (word == names[i]) return Enum(i);
    }
    fail("one of its names");
  }
  core::DType dtype() {
    std::string word;
    in_ >> word;
    const auto dtype = core::parse_dtype(word);
    if (!dtype || !core::is_float(*dtype)) fail("f32 or bf16");
    return *dtype;
  }
  int64_t number() {
    int64_t value = 0;
    if (!(in_ >> value)) fail("a number");
    return value;
  }
  bool flag() { return number() != 0; }
  void end() {
    std::string rest;
    if (in_ >> rest) fail("nothing more");
  }

 private:
  [[noreturn]] void fail(const char* expected) {
    core::fail("ERR_ARGUMENT", "convolution \"", text_, "\": expected ", expected);
  }
  const std::string& text_;
  std::istringstream in_;
};

}  // namespace

// Words in the order of the struct: names, extents, geometry, types, flags.
std::string ConvSpec::key() const {
  std::ostringstream text;
  text << kPasses[size_t(pass)];
  for (int64_t extent : {n, c, h, w, o, oh, ow, kh, kw}) text << ' ' << extent;
  for (int64_t number : stride) text << ' ' << number;
  for (int64_t number : dilation) text << ' ' << number;
  for (int64_t number : padding) text << ' ' << number;
  text << ' ' << groups << ' ' << core::name_of(in) << ' ' << core::name_of(out) << ' ' << bias << ' '
       << kActivations[size_t(activation)] << ' ' << tf32 << ' ' << deterministic;
  return text.str();
}

ConvSpec ConvSpec::parse(const std::string& key) {
  Reader in(key);
  ConvSpec spec{};
  spec.pass = in.name<ConvPass>(kPasses);
  for (int64_t* extent : {&spec.n, &spec.c, &spec.h, &spec.w, &spec.o, &spec.oh, &spec.ow, &spec.kh, &spec.kw}) {
    *extent = in.number();
  }
  for (int64_t& number : spec.stride) number = in.number();
  for (int64_t& number : spec.dilation) number = in.number();
  for (int64_t& number : spec.padding) number = in.number();
  spec.groups = in.number();
  spec.in = in.dtype();
  spec.out = in.dtype();
  spec.bias = in.flag();
  spec.activation = in.name<Activation>(kActivations);
  spec.tf32 = in.flag();
  spec.deterministic = in.flag();
  in.end();
  return spec;
}

}  // namespace ostrich::cuda
