// Greedy placement by size; see planner.h. Quadratic in the number of ranges, which are thousands at most.
#include "program/planner.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"

namespace ostrich::program {
namespace {

size_t aligned(size_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool live_together(const Range& a, const Range& b) { return a.first <= b.last && b.first <= a.last; }

size_t most_alive(const std::vector<Range>& ranges) {
  std::map<int, long long> change;  // step -> bytes that begin, less bytes that ended before it
  for (const Range& range : ranges) {
    change[range.first] += static_cast<long long>(aligned(range.bytes));
    change[range.last + 1] -= static_cast<long long>(aligned(range.bytes));
  }
  long long alive = 0, most = 0;
  for (const auto& [step, bytes] : change) most = std::max(most, alive += bytes);
  return static_cast<size_t>(most);
}

// Offset of the tightest gap of at least `bytes` between the taken intervals [begin, end), sorted by begin.
size_t tightest_gap(const std::vector<std::pair<size_t, size_t>>& taken, size_t bytes) {
  size_t end = 0, best = 0, best_room = SIZE_MAX;
  for (const auto& [begin, stop] : taken) {
    if (begin > end && begin - end >= bytes && begin - end < best_room) {
      best = end;
      best_room = begin - end;
    }
    end = std::max(end, stop);
  }
  return best_room == SIZE_MAX ? end : best;
}

}  // namespace

Plan plan_arena(const std::vector<Range>& ranges) {
  for (const Range& range : ranges) OSTRICH_CHECK(range.first <= range.last);
  Plan plan;
  plan.offsets.resize(ranges.size());
  plan.lower_bound = most_alive(ranges);

  std::vector<size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (ranges[a].bytes != ranges[b].bytes) return ranges[a].bytes > ranges[b].bytes;
    const int length_a = ranges[a].last - ranges[a].first, length_b = ranges[b].last - ranges[b].first;
    return length_a != length_b ? length_a > length_b : a < b;
  });

  std::vector<size_t> placed;  // by offset
  std::vector<std::pair<size_t, size_t>> taken;
  for (size_t index : order) {
    const size_t bytes = aligned(ranges[index].bytes);
    if (bytes == 0) continue;
    taken.clear();
    for (size_t other : placed) {
      if (live_together(ranges[index], ranges[other])) {
        taken.emplace_back(plan.offsets[other], plan.offsets[other] + aligned(ranges[other].bytes));
      }
    }
    const size_t offset = plan.offsets[index] = tightest_gap(taken, bytes);
    plan.total = std::max(plan.total, offset + bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](size_t value, size_t other) { return value < plan.offsets[other]; }),
                  index);
  }
  return plan;
}

void check_plan(const std::vector<Range>& ranges, const Plan& plan) {
  OSTRICH_CHECK(plan.offsets.size() == ranges.size());
  std::vector<size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; });
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t a = order[i], end = plan.offsets[a] + ranges[a].bytes;
    if (plan.offsets[a] % kArenaAlignment != 0 || end > plan.total) {
      core::fail("ERR_INTERNAL", "arena: expected range ", a, " aligned and inside ", plan.total, " bytes, got offset ",
                 plan.offsets[a], " of ", ranges[a].bytes, " bytes");
    }
    for (size_t j = i + 1; j < order.size() && plan.offsets[order[j]] < end; ++j) {
      const size_t b = order[j];
      if (ranges[a].bytes != 0 && ranges[b].bytes != 0 && live_together(ranges[a], ranges[b])) {
        core::fail("ERR_INTERNAL", "arena: expected live ranges apart, got ", a, " and ", b, " overlapping at offset ",
                   plan.offsets[b]);
      }
    }
  }
}

}  // namespace ostrich::program
