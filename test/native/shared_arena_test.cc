// One arena for programs that take turns: as large as the largest need, moved for nothing else.
#include "program/shared_arena.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"

namespace ostrich::program {
namespace {

class RecordedArena : public SharedArena {
 public:
  std::vector<std::string> owners;
  std::vector<size_t> sizes;
  size_t limit = 1000;

 private:
  char* replace(size_t bytes, const std::string& owner) override {
    memory_.clear();
    owners.push_back(owner);
    sizes.push_back(bytes);
    if (bytes > limit) core::fail("ERR_OUT_OF_MEMORY", "too large");
    memory_.resize(bytes);
    return memory_.data();
  }
  std::vector<char> memory_;
};

using Share = SharedArena::Share;

TEST(SharedArena, GrowsForALargerProgramAndStaysForASmallerOne) {
  const auto arena = std::make_shared<RecordedArena>();
  const Share small(arena, 100, "small");
  const char* first = small.data();
  const Share smaller(arena, 50, "smaller");
  EXPECT_EQ(smaller.data(), first);
  EXPECT_EQ(smaller.bytes(), 50u);
  const Share large(arena, 300, "large");
  EXPECT_EQ(large.data(), small.data());
  EXPECT_EQ(arena->held_bytes(), 300u);
  EXPECT_EQ(arena->sizes, (std::vector<size_t>{100, 300}));
  EXPECT_EQ(arena->owners, (std::vector<std::string>{"arena of small", "arena of large"}));
}

TEST(SharedArena, GivesBackWhenTheLargestGoesAndAllWithTheLast) {
  const auto arena = std::make_shared<RecordedArena>();
  {
    const Share small(arena, 100, "small");
    {
      const Share large(arena, 300, "large");
      large.data();
    }
    // Not before somebody asks: a run may be under way.
    EXPECT_EQ(arena->held_bytes(), 300u);
    small.data();
    EXPECT_EQ(arena->held_bytes(), 100u);
    Share moved(arena, 700, "moved");
    Share taken = std::move(moved);
    EXPECT_EQ(taken.bytes(), 700u);
    taken.data();
  }
  EXPECT_EQ(arena->sizes, (std::vector<size_t>{300, 100, 700, 0}));
}

TEST(SharedArena, GivesAPlaceToWhatNeedsNothing) {
  const auto arena = std::make_shared<RecordedArena>();
  const Share nothing(arena, 0, "nothing");
  const char* place = nothing.data();
  EXPECT_NE(place, nullptr);
  EXPECT_EQ(nothing.data(), place);
  EXPECT_EQ(arena->held_bytes(), 0u);
}

TEST(SharedArena, TriesAgainAfterARefusal) {
  const auto arena = std::make_shared<RecordedArena>();
  const Share small(arena, 100, "small");
  small.data();
  {
    const Share huge(arena, 2000, "huge");
    EXPECT_THROW(huge.data(), core::Error);
    EXPECT_EQ(arena->held_bytes(), 0u);
    // While it is there nobody can do with less.
    EXPECT_THROW(small.data(), core::Error);
  }
  EXPECT_NE(small.data(), nullptr);
  EXPECT_EQ(arena->held_bytes(), 100u);
}

}  // namespace
}  // namespace ostrich::program
