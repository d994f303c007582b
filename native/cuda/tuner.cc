// See tuner.h. One text file for each device, driver and library: a line for each choice, the key, a tab, and the
// choice.
#include "cuda/tuner.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace ostrich::cuda {

namespace {

constexpr int kRepeats = 5;
// As f32 and as bf16 about 0.011: neither zero, on which a device may save power, nor out of range.
constexpr unsigned char kOrdinary = 0x3c;

using Choices = std::map<std::string, std::string>;

std::string file_name(const Context& context, const std::string& library) {
  std::string name =
      context.facts().name + "-" + std::to_string(context.facts().driver_version) + "-" + library + ".txt";
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return name;
}

void read_into(Choices& choices, const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) choices.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
}

// Whole or not at all, by way of a file that nobody else has: another process, or another device of this one, may read
// and write at any time.
void write(const Choices& choices, const std::string& folder, const std::string& path) {
  std::error_code refused;
  std::filesystem::create_directories(folder, refused);
  std::string temporary = path + ".XXXXXX";
  const int made = mkstemp(temporary.data());
  if (made < 0) return;
  close(made);
  std::ofstream file(temporary);
  for (const auto& [key, choice] : choices) file << key << '\t' << choice << '\n';
  file.close();
  if (file) std::filesystem::rename(temporary, path, refused);
  if (!file || refused) std::filesystem::remove(temporary, refused);
}

float median(std::vector<float> times) {
  std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
  return times[times.size() / 2];
}

}  // namespace

struct Tuner::Memory {
  std::map<std::string, Choices> by_library;
  DeviceMemory scratch;
};

Tuner::Tuner(std::shared_ptr<Context> context, std::string folder, bool deterministic)
    : context_(std::move(context)),
      folder_(std::move(folder)),
      deterministic_(deterministic),
      memory_(std::make_unique<Memory>()) {}

Tuner::~Tuner() = default;

std::optional<std::string> Tuner::recall(const std::string& library, const std::string& key) {
  const auto [place, is_new] = memory_->by_library.try_emplace(library);
  Choices& choices = place->second;
  if (is_new && !folder_.empty()) read_into(choices, folder_ + "/" + file_name(*context_, library));
  const auto found = choices.find(key);
  if (found == choices.end()) return std::nullopt;
  return found->second;
}

void Tuner::remember(const std::string& library, const std::string& key, const std::string& choice) {
  OSTRICH_CHECK((key + choice).find_first_of("\t\n") == std::string::npos);
  Choices& choices = memory_->by_library[library];
  choices[key] = choice;
  if (folder_.empty()) return;
  const std::string path = folder_ + "/" + file_name(*context_, library);
  read_into(choices, path);  // what other processes found meanwhile
  write(choices, folder_, path);
}

std::optional<int> Tuner::fastest(int candidates, const std::function<void(int candidate, CUstream stream)>& run) {
  std::optional<int> best;
  {
    Stream stream(context_);
    Event start(context_, true), end(context_, true);
    float best_ms = 0;
    for (int candidate = 0; candidate < candidates; ++candidate) {
      try {
        run(candidate, stream.get());
        stream.wait();
        if (deterministic_ || candidates == 1) {
          best = candidate;
          break;
        }
        std::vector<float> times;
        for (int repeat = 0; repeat < kRepeats; ++repeat) {
          start.record(stream.get());
          run(candidate, stream.get());
          end.record(stream.get());
          end.wait();
          times.push_back(end.ms_since(start));
        }
        const float ms = median(std::move(times));
        if (!best || ms < best_ms) std::tie(best, best_ms) = std::make_pair(std::optional<int>(candidate), ms);
      } catch (const core::Error&) {
        // A candidate that the library refuses is no candidate; a lost device is the end.
        if (context_->lost()) throw;
      }
    }
  }
  memory_->scratch = DeviceMemory();
  return best;
}

char* Tuner::scratch(size_t bytes) {
  if (memory_->scratch.bytes() < bytes) {
    memory_->scratch = DeviceMemory();
    memory_->scratch = DeviceMemory(context_, bytes, "scratch of the tuner");
  }
  Stream stream(context_);
  OSTRICH_CU(*context_,
             cuMemsetD8Async(address(memory_->scratch.data()), kOrdinary, memory_->scratch.bytes(), stream.get()));
  stream.wait();
  return memory_->scratch.data();
}

}  // namespace ostrich::cuda
