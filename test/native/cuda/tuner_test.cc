// Choices are kept, shared and never in the way: a bad file or disk counts as nothing.
#include "cuda/tuner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "driver_double.h"

namespace ostrich::cuda {
namespace {

const Libraries& doubles() {
  static Libraries table;
#define OSTRICH_DRIVER(name) table.driver.name = host::name;
#include "cuda/driver.def"
  return table;
}

class TunerTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "ostrich-" + info->name();
    std::filesystem::remove_all(folder_);
    context_ = std::make_shared<Context>(doubles(), 0, 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Tuner tuner(bool deterministic = false) { return {context_, folder_, deterministic}; }

  std::string folder_;
  std::shared_ptr<Context> context_;
};

TEST_F(TunerTest, KeepsChoicesForOtherProcesses) {
  Tuner first = tuner(), second = tuner();
  first.remember("lib 1", "a", "x");
  second.remember("lib 1", "b", "y");
  Tuner third = tuner();
  EXPECT_EQ(third.recall("lib 1", "a"), "x");
  EXPECT_EQ(third.recall("lib 1", "b"), "y");
  EXPECT_EQ(third.recall("lib 1", "c"), std::nullopt);
  EXPECT_EQ(third.recall("lib 2", "a"), std::nullopt);
}

// As two devices of one process do. Either may miss what the other adds at that moment; nothing that was there is lost.
TEST_F(TunerTest, KeepsChoicesThatAreThereWhileSeveralThreadsWrite) {
  const std::string old(20000, 'x');
  tuner().remember("lib", "old", old);
  std::atomic<int> lost{0};
  const auto work = [&](const std::string& key) {
    Tuner one = tuner();
    for (int i = 0; i < 300; ++i) {
      one.remember("lib", key, std::to_string(i));
      if (tuner().recall("lib", "old") != old) ++lost;
    }
  };
  std::thread first(work, "first"), second(work, "second");
  first.join();
  second.join();
  EXPECT_EQ(lost.load(), 0);
}

TEST_F(TunerTest, TakesABadFileForNone) {
  tuner().remember("lib", "a", "x");
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ofstream(entry.path()) << std::string("\0\xff no tab\n", 10);
  }
  EXPECT_EQ(tuner().recall("lib", "a"), std::nullopt);
}

TEST_F(TunerTest, RemembersWhereTheDiskRefuses) {
  folder_ = "/proc/none";
  Tuner one = tuner();
  one.remember("lib", "a", "x");
  EXPECT_EQ(one.recall("lib", "a"), "x");
}

TEST_F(TunerTest, LeavesOutWhatIsRefused) {
  const auto run = [](int candidate, CUstream) {
    if (candidate != 2) core::fail("ERR_CUDA", "refused");
  };
  EXPECT_EQ(tuner().fastest(4, run), 2);
  EXPECT_EQ(tuner().fastest(2, run), std::nullopt);
  EXPECT_EQ(tuner(true).fastest(4, run), 2);
}

TEST_F(TunerTest, DoesNotTimeWhereDeterministic) {
  std::vector<int> runs;
  EXPECT_EQ(tuner(true).fastest(3, [&](int candidate, CUstream) { runs.push_back(candidate); }), 0);
  EXPECT_EQ(runs, std::vector<int>{0});
  runs.clear();
  tuner().fastest(3, [&](int candidate, CUstream) { runs.push_back(candidate); });
  EXPECT_EQ(runs.size(), 18u);  // each once to warm up, and five times on the clock
}

TEST_F(TunerTest, LendsMemoryUntilItHasChosen) {
  Tuner one = tuner();
  const size_t before = context_->held_bytes();
  ASSERT_NE(one.scratch(1000), nullptr);
  EXPECT_EQ(context_->held_bytes(), before + 1000);
  one.fastest(1, [](int, CUstream) {});
  EXPECT_EQ(context_->held_bytes(), before);
}

}  // namespace
}  // namespace ostrich::cuda
