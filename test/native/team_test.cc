// The team: every part once, barriers, errors, helpers that are late, and libdnnl's calls of OpenMP.
#include "cpu/team.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <numeric>
#include <oneapi/dnnl/dnnl.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/error.h"
#include "cpu/parallel.h"

extern "C" {
bool GOMP_loop_static_start(long, long, long, long, long*, long*);
bool GOMP_loop_static_next(long*, long*);
void GOMP_parallel_start(void (*)(void*), void*, unsigned);
void GOMP_parallel_end();
int omp_get_max_threads();
int omp_get_num_threads();
int omp_get_thread_num();
int omp_in_parallel();
}

namespace ostrich::cpu {
namespace {

using namespace std::chrono_literals;

TEST(Team, ComputesEveryPartOnce) {
  use_team(4);
  EXPECT_EQ(team_size(), 4);
  std::vector<int> done(4);
  int64_t all = 0;
  for (int round = 0; round < 20000; ++round) {
    const int parts = 1 + round % 4;
    if (round % 1000 == 0) std::this_thread::sleep_for(1ms);  // by then the helpers sleep
    run_team(parts, [&](int id, int count) {
      EXPECT_EQ(count, parts);
      EXPECT_EQ(own_part().id, id);
      ++done[size_t(id)];
    });
    all += parts;
    ASSERT_EQ(std::accumulate(done.begin(), done.end(), int64_t(0)), all);
  }
  EXPECT_EQ(done, (std::vector<int>{20000, 15000, 10000, 5000}));
  EXPECT_FALSE(in_region());
}

TEST(Team, TasksAreHandedOutOnce) {
  use_team(3);
  std::vector<std::atomic<int>> done(1000);
  parallel_tasks(3, 1000, false, [&](int64_t task) { ++done[size_t(task)]; });
  for (const auto& times : done) ASSERT_EQ(times, 1);
}

TEST(Team, NobodyPassesABarrierBeforeAllAreThere) {
  use_team(3);
  std::vector<int> at(3);
  std::atomic<int> ahead{0};
  for (int round = 0; round < 20; ++round) {
    run_team(3, [&](int id, int) {
      for (int phase = 1; phase <= 500; ++phase) {
        at[size_t(id)] = phase;
        if (phase % 100 == id) std::this_thread::sleep_for(200us);  // the others sleep
        team_barrier();
        for (int other : at) ahead += other != phase;
        team_barrier();
      }
    });
  }
  EXPECT_EQ(ahead, 0);
  team_barrier();  // outside of a region it is none
}

TEST(Team, AnErrorLeavesAfterTheRegion) {
  use_team(3);
  for (int failing = 0; failing < 3; ++failing) {
    std::atomic<int> done{0};
    EXPECT_THROW(run_team(3,
                          [&](int id, int) {
                            ++done;
                            if (id >= failing) throw std::runtime_error("on purpose");
                          }),
                 std::runtime_error);
    EXPECT_EQ(done, 3);
  }
  EXPECT_FALSE(in_region());
}

TEST(Team, ARegionInsideOfOneIsOnePart) {
  use_team(2);
  std::atomic<int> inner{0};
  run_team(2, [&](int id, int) {
    run_team(2, [&](int own, int count) { inner += own == 0 && count == 1; });
    EXPECT_EQ(own_part().id, id);
  });
  EXPECT_EQ(inner, 2);
}

TEST(Team, IsTheCallersOwn) {
  use_team(3);
  std::thread([] {
    EXPECT_EQ(team_size(), 1);
    use_team(2);
    EXPECT_EQ(team_size(), 2);
  }).join();
  EXPECT_EQ(team_size(), 3);
  use_team(1);
  EXPECT_EQ(team_size(), 1);
  int parts = 0;
  run_team(3, [&](int, int count) { parts = count; });
  EXPECT_EQ(parts, 1);
}

std::atomic<bool> is_held{false}, is_free{false};
void hold(int) {
  is_held = true;
  while (!is_free) usleep(100);
}

TEST(Team, DoesThePartsOfAHelperThatIsLate) {
  use_team(2);
  const pthread_t owner = pthread_self();
  pthread_t helper = owner;
  while (helper == owner) {  // it may have been late for this one
    run_team(2, [&](int id, int) {
      if (id == 1) helper = pthread_self();
      std::this_thread::sleep_for(1ms);
    });
  }
  struct sigaction held {
  }, before{};
  held.sa_handler = hold;
  sigaction(SIGUSR2, &held, &before);
  is_held = is_free = false;
  pthread_kill(helper, SIGUSR2);
  while (!is_held) usleep(100);
  for (int round = 0; round < 100; ++round) {
    std::vector<pthread_t> by(2);
    run_team(2, [&](int id, int) { by[size_t(id)] = pthread_self(); });
    EXPECT_EQ(by, (std::vector<pthread_t>{owner, owner}));
  }
  is_free = true;
  sigaction(SIGUSR2, &before, nullptr);
  bool helps = false;
  for (int round = 0; round < 1000 && !helps; ++round) {
    run_team(2, [&](int id, int) {
      if (id == 1) helps = pthread_self() == helper;
      std::this_thread::sleep_for(100us);
    });
  }
  EXPECT_TRUE(helps);
}

// What a region of OpenMP sees, and the turns of its loops.
struct Seen {
  std::atomic<int> ids{0}, counts{0}, inside{0}, inner{0};
  std::vector<std::atomic<int>> turns = std::vector<std::atomic<int>>(100);
};

void look(void* data) {
  Seen& seen = *static_cast<Seen*>(data);
  seen.ids += 1 << omp_get_thread_num();
  seen.counts += omp_get_num_threads();
  seen.inside += omp_in_parallel();
  for (long chunk : {0L, 7L}) {
    long begin, end;
    for (bool more = GOMP_loop_static_start(10, 205, 2, chunk, &begin, &end); more;
         more = GOMP_loop_static_next(&begin, &end)) {
      for (long i = begin; i < end; i += 2) ++seen.turns[size_t((i - 10) / 2)];
    }
  }
  GOMP_parallel_start(nullptr, nullptr, 3);
  seen.inner += omp_get_num_threads() == 1 && omp_get_thread_num() == 0 && omp_in_parallel();
  GOMP_parallel_end();
}

TEST(Team, AnswersForOpenMp) {
  for (int threads : {1, 3}) {
    use_team(threads);
    EXPECT_EQ(omp_get_max_threads(), threads);
    Seen seen;
    GOMP_parallel_start(look, &seen, 0);
    look(&seen);
    GOMP_parallel_end();
    EXPECT_EQ(seen.ids, (1 << threads) - 1);
    EXPECT_EQ(seen.counts, threads * threads);
    EXPECT_EQ(seen.inside, threads == 1 ? 0 : threads);
    for (size_t turn = 0; turn < 100; ++turn) ASSERT_EQ(seen.turns[turn], turn < 98 ? 2 : 0) << turn;
    EXPECT_EQ(omp_in_parallel(), 0);
  }
}

TEST(Team, LibdnnlAsksIt) {
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "GOMP_parallel_start"), reinterpret_cast<void*>(&GOMP_parallel_start));
  use_team(2);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const dnnl::memory::desc square({256, 256}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
  const dnnl::matmul product({engine, square, square, square});
  dnnl::memory a(square, engine), b(square, engine), c(square, engine);
  std::fill_n(static_cast<float*>(a.get_data_handle()), 256 * 256, 1.0f);
  std::fill_n(static_cast<float*>(b.get_data_handle()), 256 * 256, 2.0f);
  dnnl::stream stream(engine);
  product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
  stream.wait();
  for (int i = 0; i < 256 * 256; ++i) ASSERT_EQ(static_cast<float*>(c.get_data_handle())[i], 512.0f);
}

}  // namespace
}  // namespace ostrich::cpu
