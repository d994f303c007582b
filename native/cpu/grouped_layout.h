// Weights of grouped convolutions have four axes in a program, [O, C/G, KH, KW], and five in oneDNN,
// [G, O/G, C/G, KH, KW]. Most layouts of the one are a layout of the other over the same bytes.
#pragma once

#include <optional>

#include "cpu/layout.h"

namespace ostrich::cpu {

// The layout of four axes whose elements lie where those of `five` do; none where groups lie in no one stride.
std::optional<Layout> without_groups(const Layout& five);
// The other way: five axes over the bytes of `four`; none where a block holds channels of two groups.
std::optional<Layout> with_groups(const Layout& four, int64_t groups);

}  // namespace ostrich::cpu
