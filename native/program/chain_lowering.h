// How a chain is computed with registers of f32 and i32 alone, where bf16 travels as f32 and u8 as i32: which
// conversions stand between what is loaded, the arithmetic, and each result as its own dtype has it. The rules of every
// backend; a backend makes values of them, and gives the values places.
#pragma once

#include <cstdint>
#include <vector>

#include "program/chain.h"

namespace ostrich::program {

enum class Conversion : uint8_t {
  float_of_int,
  int_of_float,  // towards zero, saturating
  u8_of_float,   // the same, to 0..255
  wrap_u8,       // an i32 modulo 256
  round_bf16,
  truth,  // 1 where the float is not zero
};

// What a backend makes of a chain, value by value: each of these gives the number that the backend has for a new value,
// or for a known one that is the same.
class ChainTarget {
 public:
  virtual ~ChainTarget() = default;
  // An input as f32 or i32. Once for each that is used, when it is first used.
  virtual int load(int input) = 0;
  // An integer input as f32 at once, where that is cheaper than `load` and a conversion; -1 where it is not.
  virtual int load_float(int) { return -1; }
  virtual int literal(uint32_t bits) = 0;
  virtual int convert(Conversion conversion, int value) = 0;
  // The instruction on operands of the type that it computes in; the condition of `where` is an i32. The result is of
  // that type too, of a comparison an i32.
  virtual int compute(const Instruction& instruction, std::vector<int> operands) = 0;
};

class ChainLowering {
 public:
  ChainLowering(const Chain& chain, ChainTarget& target);
  // All instructions, in order.
  void run();
  // The value of a register, for what stores it.
  int value_of(int reg);

 private:
  bool is_float(const Operand& operand) const;
  int as_float(int reg);
  int literal(double number, bool in_float);
  int operand(const Operand& operand, bool in_float);
  int condition(const Operand& operand);
  int lower(const Instruction& instruction);
  int lower_cast(const Instruction& instruction);

  const Chain& chain_;
  ChainTarget& target_;
  std::vector<int> values_;  // of each register, -1 until it is there
};

// Places (registers, buffers) that values take in turn.
class Places {
 public:
  // For what operation `now` makes and operation `last_use` reads last: the first place whose value nobody reads after
  // `now`, which may write over it.
  int take(int now, int last_use);
  int count() const { return int(last_uses_.size()); }

 private:
  std::vector<int> last_uses_;  // of the value in each place
};

}  // namespace ostrich::program
