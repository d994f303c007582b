// Builds a program that the parser accepts and runs it on data that nobody would choose.
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "cpu/cpu_program.h"
#include "program_text.h"

extern "C" const ostrich::backend::Plugin* ostrich_backend_plugin();

namespace ostrich::test {

class HostileRun {
 public:
  explicit HostileRun(uint64_t seed) : random_(seed) {
    for (int threads : {1, 2}) {
      backend::DeviceOptions options;
      options.threads = threads;
      devices_.push_back(ostrich_backend_plugin()->open(options));
    }
  }

  // Whether it ran to its end. It may be refused, as too large or for its data; with any other error the test fails,
  // and when its results change with what the arena held before.
  bool is_finished(const std::string& text) {
    const program::ProgramSpec spec = program::parse(text);
    if (bytes_of(spec) > kMostBytes) return false;
    const auto& device = devices_[random_() % devices_.size()];
    try {
      std::vector<std::shared_ptr<backend::Buffer>> state;
      for (const auto& named : spec.states) {
        const program::ValueSpec& value = spec.values[size_t(named.value)];
        state.push_back(device->allocate({value.dtype, value.shape, named.name}));
      }
      const auto built = device->build(spec, state);
      const auto& program = static_cast<const cpu::CpuProgram&>(*built);
      const std::vector<std::vector<char>> feeds = hostile(spec, spec.feeds), states = hostile(spec, spec.states);
      std::vector<std::vector<char>> results[2];
      for (int round : {0, 1}) {
        for (size_t i = 0; i < state.size(); ++i) device->upload(*state[i], states[i].data());
        std::memset(program.arena(), round == 0 ? 0 : 0xff, program.stats().arena_bytes);
        results[round] = run(spec, *built, feeds);
        for (size_t i = 0; i < state.size(); ++i) {
          results[round].emplace_back(states[i].size());
          device->download(*state[i], results[round].back().data());
        }
      }
      EXPECT_TRUE(results[0] == results[1]) << "reads what nobody wrote: " << text;
      return true;
    } catch (const core::Error& error) {
      EXPECT_TRUE(error.code() == "ERR_DATA" || error.code() == "ERR_OUT_OF_MEMORY" || error.code() == "ERR_PROGRAM")
          << error.code() << " " << error.what() << "\n"
          << text;
      return false;
    }
  }

 private:
  static constexpr int64_t kMostBytes = int64_t(4) << 20;

  static int64_t bytes_of(const program::ProgramSpec& spec) {
    int64_t bytes = 0;
    for (const program::ValueSpec& value : spec.values)
      bytes += core::count(value.shape) * int64_t(core::size_of(value.dtype));
    return bytes;
  }
  static size_t bytes_of(const program::ProgramSpec& spec, const program::NamedValue& named) {
    const program::ValueSpec& value = spec.values[size_t(named.value)];
    return size_t(core::count(value.shape)) * core::size_of(value.dtype);
  }

  // Small whole numbers, or any bytes: NaN, infinities, denormals, indices far outside.
  std::vector<std::vector<char>> hostile(const program::ProgramSpec& spec,
                                         const std::vector<program::NamedValue>& wanted) {
    std::vector<std::vector<char>> list;
    for (const auto& named : wanted) {
      std::vector<char>& bytes = list.emplace_back(bytes_of(spec, named), char(0));
      const core::DType dtype = spec.values[size_t(named.value)].dtype;
      const bool is_wild = random_() % 4 == 0;
      for (size_t i = 0; i < bytes.size(); ++i) {
        if (is_wild) bytes[i] = char(random_());
        // The first byte of a whole number, the last two of a float of about 1.
        if (!is_wild && !core::is_float(dtype) && i % core::size_of(dtype) == 0) bytes[i] = char(random_() % 3);
        if (!is_wild && core::is_float(dtype) && i % core::size_of(dtype) >= core::size_of(dtype) - 2)
          bytes[i] = i % 2 == 1 ? char(random_() % 2 == 0 ? 0x3f : 0xbf) : char(random_());
      }
    }
    return list;
  }

  static std::vector<std::vector<char>> run(const program::ProgramSpec& spec, backend::Executable& program,
                                            const std::vector<std::vector<char>>& feeds) {
    std::vector<std::vector<char>> results;
    std::vector<const void*> from;
    std::vector<void*> to;
    for (const auto& feed : feeds) from.push_back(feed.data());
    for (const auto& fetch : spec.fetches) {
      const program::ValueSpec& value = spec.values[size_t(fetch.value)];
      results.emplace_back(size_t(core::count(value.shape)) * core::size_of(value.dtype));
    }
    for (auto& result : results) to.push_back(result.data());
    program.run(from, to);
    return results;
  }

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<backend::Backend>> devices_;
};

}  // namespace ostrich::test
