// s^-beta for s > 0: by square roots for the usual beta of 3/4, else by exp and log.
#pragma once

#include "math/functions.h"

namespace ostrich::math {

struct ThreeQuarters {
  OSTRICH_HD float inverse(float s, float) {
    const float r = rsqrt(s);
    return r * sqrt(r);
  }
};

struct AnyPower {
  OSTRICH_HD float inverse(float s, float beta) { return exp(-beta * log(s)); }
};

}  // namespace ostrich::math
