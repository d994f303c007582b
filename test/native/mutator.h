// Breaks program text at random: bytes of it, or members, elements and values of its tree.
#pragma once

#include <cstdlib>
#include <random>
#include <string>

#include "program_text.h"

namespace ostrich::test {

// What an environment variable says; `otherwise` where it is not set.
inline size_t number(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string mutate(const json& program) {
    if (below(3) == 0) return mutate_text(program.dump());
    json changed = program;
    for (size_t i = 0, n = 1 + below(3); i < n; ++i) mutate_tree(changed);
    return changed.dump(-1, ' ', false, json::error_handler_t::replace);
  }

 private:
  size_t below(size_t n) { return size_t(random_() % n); }

  std::string mutate_text(std::string text) {
    for (size_t i = 0, n = 1 + below(8); i < n && !text.empty(); ++i) {
      const size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = char(random_());
          break;
        case 1:
          text.erase(at, 1 + below(20));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(40)));
          break;
        default:
          text.insert(at, 1, "0123456789-.[]{}\",:e"[below(20)]);
      }
    }
    return text;
  }

  // Any value of the tree, every level as likely.
  json& pick(json& root) {
    json* at = &root;
    while (at->is_structured() && !at->empty() && below(6) != 0) {
      auto next = at->begin();
      std::advance(next, std::ptrdiff_t(below(at->size())));
      at = &*next;
    }
    return *at;
  }

  void mutate_tree(json& root) {
    json& target = pick(root);
    if (target.is_array() && !target.empty() && below(2) == 0) {
      if (below(2) == 0) {
        target.erase(below(target.size()));
      } else {
        target.push_back(target[below(target.size())]);
      }
      return;
    }
    if (target.is_object() && !target.empty() && below(2) == 0) {
      auto member = target.begin();
      std::advance(member, std::ptrdiff_t(below(target.size())));
      target.erase(member);
      return;
    }
    target = replacement(root);
  }

  json replacement(json& root) {
    static const json odd = json::parse(R"([0, 1, -1, 2, 3, 7, 15, 16, 255, 2147483647, 2147483648, 9223372036854775807,
      -9223372036854775808, 18446744073709551615, 0.5, -0.0, 1e308, 1e-320, true, false, null, "", "f32", "bf16", "i32",
      "u8", "relu", "matmul", "pointwise", "conv2d", "pad", [], {}, {"c": 1e39}, [1, 2, 3, 4]])");
    return below(3) == 0 ? json(pick(root)) : odd[below(odd.size())];
  }

  std::mt19937_64 random_;
};

}  // namespace ostrich::test
