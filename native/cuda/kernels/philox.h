// Philox4x32-10 on the device, as in core/philox.h, which is host code.
#pragma once

#include "cuda/kernels/device.h"

namespace ostrich::cuda {

struct Words {
  uint32_t word[4];
};

// The block of a counter (c0 .. c3) and a key of two words.
OSTRICH_DEVICE Words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const uint32_t* key) {
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ k0;
    c2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1);
    c3 = uint32_t(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace ostrich::cuda
