// How far word2vec's attributes go: what kernels keep for a word at a time is of fixed size.
#pragma once

#include <cstdint>

namespace ostrich::program {

constexpr int64_t kMostWindow = 256;        // words on each side
constexpr int64_t kMostNegatives = 255;     // of a word; its own row comes on top
constexpr int64_t kMostSentence = 1 << 20;  // words
constexpr int64_t kMostWords = 1 << 30;     // of a block, and rows of a table

}  // namespace ostrich::program
