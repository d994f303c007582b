// Denormal numbers cost a processor a hundred times what others do, and an optimiser's moments come to be such numbers
// where gradients stay away. What is computed of them is as good as zero.
#pragma once

#include <xmmintrin.h>

namespace ostrich::cpu {

// While it lives, denormal numbers count as zero in this thread, as operands and as results of arithmetic.
class FlushDenormals {
 public:
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kDenormalsAreZero | kFlushToZero); }
  ~FlushDenormals() { _mm_setcsr(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  static constexpr unsigned kDenormalsAreZero = 0x0040, kFlushToZero = 0x8000;
  const unsigned before_;
};

}  // namespace ostrich::cpu
