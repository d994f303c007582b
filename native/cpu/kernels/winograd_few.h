// Winograd's convolution where weights are so few that, transformed, they stay in one core's cache. Between images it
// is in f32, those of bf16 too: where there are few channels, products of bf16 would save little.
#pragma once

#include "cpu/kernels/winograd.h"

namespace ostrich::cpu {

// Whether the weights w [O, C, R, R] of one group are few enough.
bool winograd_few(const core::Shape& w, int64_t groups);

// y = w * x (+ bias) (, relu) or, `turned`, dx from dy; `bias` may be null.
std::unique_ptr<Step> winograd_few_correlate(Builder& builder, const WinogradSpec& spec, bool turned, Slot* from,
                                             Slot* w, Slot* bias, bool relu, Slot* to);
// `db` may be null.
std::unique_ptr<Step> winograd_few_grad_weight(Builder& builder, const WinogradSpec& spec, Slot* x, Slot* dy, Slot* dw,
                                               Slot* db);

}  // namespace ostrich::cpu
