// Seeded mutations of valid programs. 100,000 of them are accepted or refused with ERR_PROGRAM; of a part of them, what
// is accepted is built and run on hostile data. Nothing crashes, and no result depends on memory that nobody wrote.
// OSTRICH_FUZZ=1000000 runs longer; OSTRICH_FUZZ_SEED chooses another sequence.
#include <set>

#include "fuzz_run.h"
#include "fuzz_seeds.h"
#include "mutator.h"

namespace ostrich::test {
namespace {

TEST(Fuzz, StartsFromEveryOp) {
  std::set<std::string> met;
  for (const json& program : fuzz_seeds()) {
    ASSERT_EQ(refusal(program), "") << program;
    for (const json& node : program["nodes"]) met.insert(node["op"]);
  }
#define OSTRICH_KERNEL(name, rule) EXPECT_EQ(met.count(#name), 1u) << #name;
#include "program/ops.def"
}

TEST(Fuzz, MutatedProgramsAreAcceptedOrRefused) {
  const std::vector<json> programs = fuzz_seeds();
  Mutator mutator(number("OSTRICH_FUZZ_SEED", 1));
  size_t accepted = 0;
  const size_t rounds = number("OSTRICH_FUZZ", 100000);
  for (size_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
    accepted += refusal(mutator.mutate(programs[i % programs.size()])).empty();
  }
  EXPECT_GT(accepted, rounds / 1000);  // some mutations change nothing that matters
  EXPECT_LT(accepted, rounds / 2);     // most break a rule, and are seen
}

TEST(Fuzz, AcceptedProgramsRun) {
  const std::vector<json> programs = fuzz_seeds();
  Mutator mutator(number("OSTRICH_FUZZ_SEED", 1) + 1);
  HostileRun run(number("OSTRICH_FUZZ_SEED", 1));
  const size_t rounds = number("OSTRICH_FUZZ", 100000) / 5;
  size_t finished = 0;
  for (size_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
    // The first time as it is: a program that is not changed runs to its end.
    const json& program = programs[i % programs.size()];
    const std::string text = i < programs.size() ? program.dump() : mutator.mutate(program);
    if (refusal(text).empty()) finished += run.is_finished(text);
  }
  EXPECT_GT(finished, rounds / 1000);
}

}  // namespace
}  // namespace ostrich::test
