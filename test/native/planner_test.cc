// The arena planner never overlaps what lives together, and stays close to the least that any plan needs.
#include "program/planner.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"

namespace ostrich::program {
namespace {

TEST(Planner, SharesBytesOfBuffersThatNeverMeet) {
  const std::vector<Range> ranges = {{1000, 0, 1}, {300, 1, 2}, {1000, 2, 3}, {0, 0, 3}};
  const Plan plan = plan_arena(ranges);
  check_plan(ranges, plan);
  EXPECT_EQ(plan.total, 1024u + 512u);
  EXPECT_EQ(plan.lower_bound, plan.total);
  EXPECT_EQ(plan.offsets[0], plan.offsets[2]);
}

TEST(Planner, PlansNothing) {
  EXPECT_EQ(plan_arena({}).total, 0u);
  EXPECT_EQ(plan_arena({{0, 0, 5}}).total, 0u);
}

TEST(Planner, RefusesALifetimeThatEndsBeforeItBegins) { EXPECT_THROW(plan_arena({{8, 3, 2}}), core::Error); }

TEST(Planner, CheckSeesOverlapAndMisalignment) {
  const std::vector<Range> ranges = {{512, 0, 1}, {512, 1, 2}};
  EXPECT_THROW(check_plan(ranges, {{0, 256}, 1024, 1024}), core::Error);
  EXPECT_THROW(check_plan(ranges, {{0, 520}, 2048, 1024}), core::Error);
  EXPECT_THROW(check_plan(ranges, {{0, 512}, 600, 1024}), core::Error);
  check_plan(ranges, {{0, 512}, 1024, 1024});
}

// Lifetimes as a training step has them: forward values live until their gradient, others are short.
std::vector<Range> step_like(std::mt19937& random, int steps) {
  std::vector<Range> ranges;
  for (int step = 0; step < steps; ++step) {
    const bool forward = step < steps / 2;
    const int last =
        forward && random() % 2 == 0 ? steps - 1 - step : std::min(steps - 1, step + 1 + int(random() % 3));
    ranges.push_back({1 + random() % (1u << (4 + random() % 18)), step, last});
  }
  return ranges;
}

TEST(Planner, NeverOverlapsAndWastesLittle) {
  std::mt19937 random(1);
  double worst = 0, sum = 0;
  constexpr int kPlans = 300;
  for (int i = 0; i < kPlans; ++i) {
    const std::vector<Range> ranges = step_like(random, 4 + int(random() % 200));
    const Plan plan = plan_arena(ranges);
    check_plan(ranges, plan);
    ASSERT_GE(plan.total, plan.lower_bound);
    const double ratio = double(plan.total) / double(plan.lower_bound);
    worst = std::max(worst, ratio);
    sum += ratio;
  }
  EXPECT_LT(sum / kPlans, 1.05);
  EXPECT_LT(worst, 1.5);
}

}  // namespace
}  // namespace ostrich::program
