// Winograd's form in bf16 with sums in f32: tiles of 2 x 2 results take 16 products in place of 36 with 3 x 3 weights
// and 49 in place of 100 with 5 x 5.
#pragma once

#include "cpu/kernels/winograd.h"

namespace ostrich::cpu {

// Whether this machine multiplies bf16 in vectors; with AMX the direct form is faster.
bool winograd_bf16();

// y = w * x (+ bias) (, relu) or, `turned`, dx from dy: `from` and `to` are in the layouts of `spec`.
std::unique_ptr<Step> winograd_bf16_correlate(Builder& builder, const WinogradSpec& spec, bool turned, Slot* from,
                                              Slot* w, Slot* bias, bool relu, Slot* to);
// dw in f32 or bf16; `db` may be null.
std::unique_ptr<Step> winograd_bf16_grad_weight(Builder& builder, const WinogradSpec& spec, Slot* x, Slot* dy, Slot* dw,
                                                Slot* db);

}  // namespace ostrich::cpu
