// An interpreter of chains: a thread decodes each instruction once for several elements. All stores come after all
// loads of an element, so that an output may lie where an input did.
#include "cuda/kernels/device.h"
#include "cuda/kernels/pointwise.h"
#include "math/pointwise.h"

namespace ostrich::cuda {
namespace {

OSTRICH_DEVICE float as_float(uint32_t bits) { return math::from_bits(bits); }
OSTRICH_DEVICE uint32_t bits(float x) { return math::bits_of(x); }
OSTRICH_DEVICE uint32_t bits(int32_t x) { return uint32_t(x); }

OSTRICH_DEVICE uint32_t widen(float x) { return bits(x); }
OSTRICH_DEVICE uint32_t widen(int32_t x) { return bits(x); }
OSTRICH_DEVICE uint32_t widen(uint16_t x) { return uint32_t(x) << 16; }
OSTRICH_DEVICE uint32_t widen(uint8_t x) { return x; }
OSTRICH_DEVICE void narrow(float& to, uint32_t from) { to = as_float(from); }
OSTRICH_DEVICE void narrow(int32_t& to, uint32_t from) { to = int32_t(from); }
OSTRICH_DEVICE void narrow(uint16_t& to, uint32_t from) { to = math::float_to_bf16(as_float(from)); }
OSTRICH_DEVICE void narrow(uint8_t& to, uint32_t from) { to = uint8_t(from); }

template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T item[kWidth];
};

template <class T, int kWidth>
OSTRICH_DEVICE void load_as(const Job& job, const JobInput& input, int64_t first, int n, uint32_t* to) {
  const T* from = static_cast<const T*>(input.data);
  if (input.access == Access::uniform) {
    const uint32_t value = widen(from[0]);
    for (int e = 0; e < kWidth; ++e) to[e] = value;
    return;
  }
  if (input.access == Access::linear) {
    if (input.aligned && n == kWidth) {
      const Pack<T, kWidth> pack = *reinterpret_cast<const Pack<T, kWidth>*>(from + first);
      for (int e = 0; e < kWidth; ++e) to[e] = widen(pack.item[e]);
      return;
    }
    for (int e = 0; e < kWidth; ++e) to[e] = e < n ? widen(from[first + e]) : 0u;
    return;
  }
  for (int e = 0; e < kWidth; ++e) {
    if (e >= n) break;
    int64_t index = first + e, place = 0;
    for (int axis = job.axes - 1; axis >= 0; --axis) {
      const int64_t outer = axis == 0 ? 0 : quotient(index, job.extents[axis]);
      place += (index - outer * job.extents[axis].divisor) * input.strides[axis];
      index = outer;
    }
    to[e] = widen(from[place]);
  }
}

template <int kWidth>
OSTRICH_DEVICE void load(const Job& job, const JobInput& input, int64_t first, int n, uint32_t* to) {
  switch (input.dtype) {
    case core::DType::f32:
      return load_as<float, kWidth>(job, input, first, n, to);
    case core::DType::bf16:
      return load_as<uint16_t, kWidth>(job, input, first, n, to);
    case core::DType::i32:
      return load_as<int32_t, kWidth>(job, input, first, n, to);
    case core::DType::u8:
      return load_as<uint8_t, kWidth>(job, input, first, n, to);
  }
}

template <class T, int kWidth>
OSTRICH_DEVICE void store_as(const JobOutput& output, int64_t first, int n, const uint32_t* from) {
  T* to = static_cast<T*>(output.data);
  if (output.aligned && n == kWidth) {
    Pack<T, kWidth> pack;
    for (int e = 0; e < kWidth; ++e) narrow(pack.item[e], from[e]);
    *reinterpret_cast<Pack<T, kWidth>*>(to + first) = pack;
    return;
  }
  for (int e = 0; e < kWidth; ++e) {
    if (e < n) narrow(to[first + e], from[e]);
  }
}

template <int kWidth>
OSTRICH_DEVICE void store(const JobOutput& output, int64_t first, int n, const uint32_t* from) {
  switch (output.dtype) {
    case core::DType::f32:
      return store_as<float, kWidth>(output, first, n, from);
    case core::DType::bf16:
      return store_as<uint16_t, kWidth>(output, first, n, from);
    case core::DType::i32:
      return store_as<int32_t, kWidth>(output, first, n, from);
    case core::DType::u8:
      return store_as<uint8_t, kWidth>(output, first, n, from);
  }
}

enum OpNumber : int {
#define OSTRICH_POINTWISE(name, arity) op_##name,
#include "program/ops.def"
};

#define OSTRICH_EACH(expression)                 \
  for (int e = 0; e < kWidth; ++e) {             \
    const uint32_t x = a[e], y = b[e], z = c[e]; \
    (void)y, (void)z;                            \
    to[e] = bits(expression);                    \
  }                                              \
  break;
#define OSTRICH_CALL_1(name)                        \
  case kFirstOp + 2 * op_##name:                    \
    OSTRICH_EACH(math::pointwise::name(int32_t(x))) \
  case kFirstOp + 2 * op_##name + 1:                \
    OSTRICH_EACH(math::pointwise::name(as_float(x)))
#define OSTRICH_CALL_2(name)                                    \
  case kFirstOp + 2 * op_##name:                                \
    OSTRICH_EACH(math::pointwise::name(int32_t(x), int32_t(y))) \
  case kFirstOp + 2 * op_##name + 1:                            \
    OSTRICH_EACH(math::pointwise::name(as_float(x), as_float(y)))
#define OSTRICH_CALL_3(name)                                                \
  case kFirstOp + 2 * op_##name:                                            \
    OSTRICH_EACH(math::pointwise::name(int32_t(x), int32_t(y), int32_t(z))) \
  case kFirstOp + 2 * op_##name + 1:                                        \
    OSTRICH_EACH(math::pointwise::name(int32_t(x), as_float(y), as_float(z)))

// One instruction for kWidth elements. Operands are copied first: the result may take a register that held one.
template <int kWidth>
OSTRICH_DEVICE void execute(int code, uint32_t* to, const uint32_t* a, const uint32_t* b, const uint32_t* c) {
  switch (code) {
    case int(ChainCode::float_of_int):
      OSTRICH_EACH(float(int32_t(x)))
    case int(ChainCode::int_of_float):
      OSTRICH_EACH(math::float_to_i32(as_float(x)))
    case int(ChainCode::u8_of_float):
      OSTRICH_EACH(math::float_to_u8(as_float(x)))
    case int(ChainCode::wrap_u8):
      OSTRICH_EACH(int32_t(x & 255u))
    case int(ChainCode::round_bf16):
      OSTRICH_EACH(math::round_to_bf16(as_float(x)))
    case int(ChainCode::truth):
      OSTRICH_EACH(int32_t(as_float(x) != 0.0f))
#define OSTRICH_POINTWISE(name, arity) OSTRICH_CALL_##arity(name)
#include "program/ops.def"
    default:  // no other code is written
      for (int e = 0; e < kWidth; ++e) to[e] = 0;
  }
}

// A register, or a literal for all elements. Branches once, so that a register is read in one piece.
template <int kWidth>
OSTRICH_DEVICE void fetch(const Job& job, const uint32_t (*registers)[kWidth], uint16_t place, uint32_t* to) {
  if (place < kLiteral) {
    for (int e = 0; e < kWidth; ++e) to[e] = registers[place][e];
    return;
  }
  const uint32_t literal = job.literals[place - kLiteral];
  for (int e = 0; e < kWidth; ++e) to[e] = literal;
}

template <int kRegisters, int kWidth>
OSTRICH_DEVICE void interpret(const PointwiseArgs& args) {
  if (args.fault->site != 0) return;
  int number = 0;
  while (int(block_x()) >= args.first_block[number + 1]) ++number;
  const Job& job = *args.job[number];
  const int64_t block = int(block_x()) - args.first_block[number];
  const int64_t step = int64_t(args.first_block[number + 1] - args.first_block[number]) * block_threads() * kWidth;
  alignas(kWidth * sizeof(uint32_t)) uint32_t registers[kRegisters][kWidth];
  for (int64_t first = (block * block_threads() + thread_index()) * kWidth; first < job.count; first += step) {
    const int n = job.count - first < kWidth ? int(job.count - first) : kWidth;
    for (int i = 0; i < job.ops; ++i) {
      const ChainOp op = job.code[i];
      if (op.code == uint16_t(ChainCode::load)) {
        load<kWidth>(job, job.inputs[op.a], first, n, registers[op.to]);
        continue;
      }
      uint32_t a[kWidth], b[kWidth], c[kWidth], result[kWidth];
      fetch<kWidth>(job, registers, op.a, a);
      if (op.code == uint16_t(ChainCode::store)) {
        store<kWidth>(job.outputs[op.to], first, n, a);
        continue;
      }
      fetch<kWidth>(job, registers, op.b, b);
      fetch<kWidth>(job, registers, op.c, c);
      execute<kWidth>(op.code, result, a, b, c);
      for (int e = 0; e < kWidth; ++e) registers[op.to][e] = result[e];
    }
  }
}

}  // namespace

OSTRICH_GLOBAL(pointwise_few, PointwiseArgs, 256) { interpret<kFewRegisters, kFewWidth>(args); }
OSTRICH_GLOBAL(pointwise_many, PointwiseArgs, 256) { interpret<kManyRegisters, 1>(args); }

}  // namespace ostrich::cuda
