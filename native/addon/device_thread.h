// The native thread of a device: runs jobs in order and settles each on the JavaScript thread. A second thread, started
// when a job is first left under way, waits for the device, so that the next job is enqueued meanwhile. They keep the
// process alive only while a job is under way, and are joined before their environment goes (a worker that ends), and
// before `exit` destroys the statics of the libraries that they are in. The job under way then ends at its next step.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "addon/errors.h"

namespace ostrich::addon {

// A piece of work. The thread links jobs, it does not own them: whoever made one gives it away with `post` and gets it
// back in `settle` or `discard`, where it frees or reuses it.
class Job {
 public:
  virtual ~Job() = default;
  virtual void execute() = 0;  // device thread; may throw
  // After `execute`: true while the device still works on it, and the job is over when `finish` returns.
  virtual bool is_under_way() const { return false; }
  virtual void finish() {}                                                        // waiting thread; may throw
  virtual void settle(Napi::Env env, const std::optional<Failure>& failure) = 0;  // JavaScript thread
  virtual void interrupt() {}  // JavaScript thread: ends `execute` soon, however; `discard` follows
  virtual void discard() = 0;  // JavaScript thread: the environment ends, no promise may be settled any more

 private:
  friend class DeviceThread;
  Job* next_ = nullptr;     // in the queue
  Job* earlier_ = nullptr;  // among all jobs not settled yet
  Job* later_ = nullptr;
  std::optional<Failure> failure_;
};

// All members but the loop are called on the JavaScript thread.
class DeviceThread {
 public:
  // Once for each environment, before the first `start`.
  static void close_at_exit(Napi::Env env);
  static std::shared_ptr<DeviceThread> start(Napi::Env env, const std::string& name);
  ~DeviceThread();

  bool closed() const { return closed_; }
  bool idle() const { return pending_ == nullptr; }

  void post(Job* job);
  // Runs `work` before all queued jobs and waits for it (and for the job under way); rethrows what it throws.
  void call(const std::function<void()>& work);
  // Interrupts the job under way, waits for it, discards all, ends the thread. Later posts are a mistake.
  void close();

 private:
  struct Call;
  DeviceThread() = default;
  static void settle_job(Napi::Env env, Napi::Function, DeviceThread* self, Job* job);
  static void on_environment_end(void* self);
  using Bridge = Napi::TypedThreadSafeFunction<DeviceThread, Job, settle_job>;

  void loop();
  void run(Job* job);
  void wait_loop();
  void hand_over(Job* job);
  void link(Job* job);
  void unlink(Job* job);
  void end_thread();
  void discard_all();

  napi_env env_ = nullptr;
  Bridge bridge_;  // kept referenced while a job is pending
  bool closed_ = false;
  Job* pending_ = nullptr;  // posted and not settled yet

  std::mutex mutex_;
  std::condition_variable wake_, called_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  Call* call_ = nullptr;
  bool stopping_ = false;
  std::string name_;
  std::thread thread_;

  // Jobs that are under way, and those behind them: all settle in the order in which they were posted.
  std::mutex waiting_mutex_;
  std::condition_variable waiting_wake_;
  std::deque<Job*> waiting_;
  bool waiting_ends_ = false;
  std::thread waiting_thread_;
};

}  // namespace ostrich::addon
