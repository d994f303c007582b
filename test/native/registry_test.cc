// The registry opens what lies beside it and says why the rest is not there.
#include "backend/registry.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace ostrich::backend {
namespace {

TEST(Registry, KnowsEveryBackend) {
  const std::vector<Presence> list = backends();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "cpu");
  EXPECT_TRUE(list[0].available) << list[0].reason;
  EXPECT_EQ(list[1].name, "cuda");
  EXPECT_EQ(list[1].available, list[1].reason.empty());
  // What is not part of a build is said in words, not in those of the loader.
  EXPECT_EQ(list[1].reason.find("cannot open shared object"), std::string::npos) << list[1].reason;
}

TEST(Registry, RefusesWhatItCannotOpen) {
  try {
    open("tpu", {});
    FAIL() << "expected an error";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), "ERR_NO_DEVICE");
    EXPECT_STREQ(error.what(), "device: expected cpu or cuda, got tpu");
  }
}

// An exception that a plugin throws is caught on this side of the border with its code.
TEST(Registry, ErrorsCrossFromThePlugin) {
  try {
    DeviceOptions options;
    options.index = 7;
    open("cpu", options);
    FAIL() << "expected an error";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), "ERR_NO_DEVICE");
  }
}

}  // namespace
}  // namespace ostrich::backend
