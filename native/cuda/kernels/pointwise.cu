// An interpreter of chains: a thread decodes each instruction once for several elements. All stores come after all
// loads of an element, so that an output may lie where an input did.
#include <type_traits>

#include "cuda/kernels/device.h"
#include "cuda/kernels/known_chains.h"
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

// Where the element of a broadcast input lies that goes with element `index` of the output.
OSTRICH_DEVICE int64_t place_of(const Job& job, const JobInput& input, int64_t index) {
  int64_t place = 0;
  for (int axis = job.axes - 1; axis >= 0; --axis) {
    const int64_t outer = axis == 0 ? 0 : quotient(index, job.extents[axis]);
    place += (index - outer * job.extents[axis].divisor) * input.strides[axis];
    index = outer;
  }
  return place;
}

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
  // Along the innermost axis neighbours lie a stride apart; only where a pack goes on in the next row is each looked
  // up.
  const int64_t place = place_of(job, input, first), stride = input.strides[job.axes - 1];
  const Divisor& inner = job.extents[job.axes - 1];
  const int64_t at = job.axes == 1 ? first : first - quotient(first, inner) * inner.divisor;
  const bool is_one_row = at + kWidth <= inner.divisor;
  for (int e = 0; e < kWidth; ++e) {
    if (e >= n) break;
    to[e] = widen(from[is_one_row ? place + e * stride : place_of(job, input, first + e)]);
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

// The job of a block.
OSTRICH_DEVICE int job_number(const PointwiseArgs& args) {
  int number = 0;
  while (int(block_x()) >= args.first_block[number + 1]) ++number;
  return number;
}

template <int kRegisters, int kWidth>
OSTRICH_DEVICE void interpret(const PointwiseArgs& args) {
  if (args.fault->site != 0) return;
  const int number = job_number(args);
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

template <class T, int kWidth>
OSTRICH_DEVICE void load_pack(const JobInput& input, int64_t first, uint32_t* to) {
  const auto pack = *reinterpret_cast<const Pack<T, kWidth>*>(static_cast<const T*>(input.data) + first);
  for (int e = 0; e < kWidth; ++e) to[e] = widen(pack.item[e]);
}

template <class T, int kWidth>
OSTRICH_DEVICE void store_pack(const JobOutput& output, int64_t first, const uint32_t* from) {
  Pack<T, kWidth> pack;
  for (int e = 0; e < kWidth; ++e) narrow(pack.item[e], from[e]);
  *reinterpret_cast<Pack<T, kWidth>*>(static_cast<T*>(output.data) + first) = pack;
}

// Instruction kOp of a known chain and all that follow it.
template <int kChain, int kOp, int kWidth>
OSTRICH_DEVICE void unrolled(const Job& job, uint32_t (*registers)[kWidth], int64_t first) {
  constexpr ChainOp op = kKnownChains[kChain].code[kOp];
  if constexpr (op.code == uint16_t(ChainCode::load)) {
    constexpr char kind = kKnownChains[kChain].inputs[op.a];
    const JobInput& input = job.inputs[op.a];
    if constexpr (kind == 'u') {
      const float value = *static_cast<const float*>(input.data);
      for (int e = 0; e < kWidth; ++e) registers[op.to][e] = widen(value);
    } else if constexpr (kind == 'b') {
      load_pack<uint16_t, kWidth>(input, first, registers[op.to]);
    } else {
      load_pack<float, kWidth>(input, first, registers[op.to]);
    }
  } else if constexpr (op.code == uint16_t(ChainCode::store)) {
    constexpr bool is_bf16 = kKnownChains[kChain].outputs[op.to] == 'b';
    using T = std::conditional_t<is_bf16, uint16_t, float>;
    store_pack<T, kWidth>(job.outputs[op.to], first, registers[op.a]);
  } else {
    uint32_t a[kWidth], b[kWidth], c[kWidth], result[kWidth];
    fetch<kWidth>(job, registers, op.a, a);
    fetch<kWidth>(job, registers, op.b, b);
    fetch<kWidth>(job, registers, op.c, c);
    execute<kWidth>(op.code, result, a, b, c);
    for (int e = 0; e < kWidth; ++e) registers[op.to][e] = result[e];
  }
  if constexpr (kOp + 1 < kKnownChains[kChain].ops) unrolled<kChain, kOp + 1, kWidth>(job, registers, first);
}

template <int kChain>
OSTRICH_DEVICE void run_known(const PointwiseArgs& args) {
  if (args.fault->site != 0) return;
  const int number = job_number(args);
  const Job& job = *args.job[number];
  const int64_t blocks = args.first_block[number + 1] - args.first_block[number];
  const int64_t thread = (int64_t(block_x()) - args.first_block[number]) * block_threads() + thread_index();
  const int64_t threads = blocks * block_threads(), packs = job.aligned ? job.count / kFewWidth : 0;
  uint32_t registers[kKnownRegisters][kFewWidth];
  for (int64_t i = thread; i < packs; i += threads) unrolled<kChain, 0, kFewWidth>(job, registers, i * kFewWidth);
  uint32_t single[kKnownRegisters][1];
  for (int64_t i = packs * kFewWidth + thread; i < job.count; i += threads) unrolled<kChain, 0, 1>(job, single, i);
}

}  // namespace

#define OSTRICH_KNOWN_KERNEL(name) \
  OSTRICH_GLOBAL(pointwise_##name, PointwiseArgs, 256) { run_known<known_##name>(args); }
OSTRICH_KNOWN_CHAINS(OSTRICH_KNOWN_KERNEL)

OSTRICH_GLOBAL(pointwise_few, PointwiseArgs, 256) { interpret<kFewRegisters, kFewWidth>(args); }
OSTRICH_GLOBAL(pointwise_many, PointwiseArgs, 256) { interpret<kManyRegisters, 1>(args); }

}  // namespace ostrich::cuda
