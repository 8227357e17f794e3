#include "kernels/common/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/common/error.h"
#include "kernels/common/layout.h"
#include "kernels/common/log.h"

namespace kern {
namespace {

int default_threads() {
  if (const char* env = std::getenv("KERN_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(env, &end, 10);
    check(*env != '\0' && *end == '\0' && n >= 1 && n <= 1024, "KERN_THREADS must be a number from 1 to 1024, got '",
          env, "'");
    return int(n);
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

std::mutex submit_mutex;  // one parallel_for at a time: a second caller (a data thread) runs serially
thread_local bool inside_a_chunk = false;
thread_local int worker_index = 0;

class AsWorker {
 public:
  explicit AsWorker(int index) : before_(std::exchange(worker_index, index)) {}
  ~AsWorker() { worker_index = before_; }
  AsWorker(const AsWorker&) = delete;
  AsWorker& operator=(const AsWorker&) = delete;

 private:
  int before_;
};

// How long a thread waits awake before it sleeps and another program may have the core: a worker for about as long as
// the next operation of a step takes to come; the caller, who found nothing left to do, for the end of a chunk.
constexpr std::chrono::microseconds kWorkerAwake(100), kCallerAwake(30);
// Waits until done(value of a), and returns that value.
template <class Done>
uint32_t wait_until(const std::atomic<uint32_t>& a, std::chrono::microseconds stays_awake, Done&& done) {
  const auto until = std::chrono::steady_clock::now() + stays_awake;
  for (bool awake = true;;) {
    for (int i = 0; i < 16; ++i) {
      const uint32_t value = a.load(std::memory_order_acquire);
      if (done(value)) return value;
      if (!awake) {
        a.wait(value, std::memory_order_acquire);
        continue;
      }
#if defined(__x86_64__)
      __builtin_ia32_pause();
#else
      std::this_thread::yield();
#endif
    }
    awake = awake && std::chrono::steady_clock::now() < until;
  }
}

// The threads beside the caller's, and the one job they have at a time: chunks 0 .. chunks - 1 of it, each to be done
// once, by anyone.
//
// Thread t of a job begins with its own share, [chunks t / threads, chunks (t + 1) / threads): what it wrote in one
// operation is then in its cache in the next. When its share is done it takes what others have not come to, chunk by
// chunk: a thread that the system does not run (another program has its core) holds up no more than the chunk that it
// is at. A chunk is taken by adding 1 to its share's counter, so nobody else gets it.
//
// The caller opens the gate, works until no chunk is left, closes the gate, and waits for those inside: then every
// chunk is done, for each was taken by the caller or by one inside. A worker that comes late finds the gate closed and
// never looks at the job, whose memory is the caller's.
class Workers {
 public:
  explicit Workers(int count) : shares_(new Share[size_t(count) + 1]) {
    for (int t = 1; t <= count; ++t) threads_.emplace_back([this, t] { serve(t); });
  }
  ~Workers() {
    stop_ = true;
    next_job();
    for (std::thread& t : threads_) t.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // threads: the caller and the first so many less one. One call at a time.
  void run(int threads, int64_t chunks, const std::function<void(int64_t chunk)>& f) {
    f_ = &f, threads_of_job_ = threads;
    for (int t = 0; t < threads; ++t) {
      shares_[t].next.store(chunks * t / threads, std::memory_order_relaxed);
      shares_[t].end = chunks * (t + 1) / threads;
    }
    failed_.store(false, std::memory_order_relaxed);
    gate_.store(kOpen, std::memory_order_release);
    next_job();
    work(0);
    gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
    wait_until(gate_, kCallerAwake, [](uint32_t gate) { return gate == 0; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static constexpr uint32_t kOpen = 1, kInside = 2;  // of gate_: a bit, and what each worker inside adds
  struct alignas(64) Share {
    std::atomic<int64_t> next = 0;
    int64_t end = 0;
  };

  void next_job() {
    job_.fetch_add(1);
    job_.notify_all();
  }
  bool enter() {
    uint32_t gate = gate_.load(std::memory_order_relaxed);
    while (gate & kOpen)
      if (gate_.compare_exchange_weak(gate, gate + kInside, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    return false;
  }
  void leave() {
    if (gate_.fetch_sub(kInside) == kInside) gate_.notify_all();
  }
  void serve(int t) {
    for (uint32_t job = 0;;) {
      job = wait_until(job_, kWorkerAwake, [job](uint32_t now) { return now != job; });
      if (stop_) return;
      if (!enter()) continue;
      if (t < threads_of_job_) work(t);
      leave();
    }
  }
  // Chunks of one's own share, then of the others'.
  void work(int t) {
    const AsWorker as_worker(t);
    inside_a_chunk = true;
    try {
      for (int i = 0; i < threads_of_job_; ++i) {
        Share& share = shares_[(t + i) % threads_of_job_];
        while (share.next.load(std::memory_order_relaxed) < share.end && !failed_.load(std::memory_order_relaxed)) {
          const int64_t chunk = share.next.fetch_add(1, std::memory_order_relaxed);
          if (chunk < share.end) (*f_)(chunk);
        }
      }
    } catch (...) {
      const std::lock_guard guard(error_mutex_);
      if (!error_) error_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);  // nobody begins another chunk
    }
    inside_a_chunk = false;
  }

  // The job: written by the caller before it opens the gate, read within the gate.
  const std::function<void(int64_t chunk)>* f_ = nullptr;
  int threads_of_job_ = 0;
  std::unique_ptr<Share[]> shares_;
  std::atomic<bool> failed_ = false;
  std::mutex error_mutex_;
  std::exception_ptr error_;

  std::atomic<uint32_t> gate_ = 0;
  std::atomic<uint32_t> job_ = 0;  // its number
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

struct Pool {
  int threads = default_threads();
  std::unique_ptr<Workers> workers;  // threads - 1 of them: the caller works too
};
Pool& pool() {
  static Pool p;
  return p;
}

// Of so many threads, those that the system lets this process start beside what it has.
int threads_that_start(int wanted) {
  std::vector<std::thread> tried;
  std::latch enough(1);
  try {
    while (int(tried.size()) < wanted) tried.emplace_back([&] { enough.wait(); });
  } catch (const std::system_error&) {
  }
  enough.count_down();
  for (std::thread& t : tried) t.join();
  return int(tried.size());
}

// With the lock on submit_mutex.
void start_workers() {
  Pool& p = pool();
  const int started = threads_that_start(p.threads - 1);
  if (started < p.threads - 1) {
    warn("the system lets this process start ", started, " of ", p.threads - 1,
         " more threads (ulimit -u, or the container's limit): the work goes on with ", started + 1);
    p.threads = started + 1;
  }
  if (started > 0) p.workers = std::make_unique<Workers>(started);
}

}  // namespace

int thread_count() { return pool().threads; }

void set_thread_count(int n) {
  check(n >= 1 && n <= 1024, "threads must be from 1 to 1024, got ", n);
  std::lock_guard lock(submit_mutex);
  pool().workers.reset();
  pool().threads = n;
}

namespace kernels {

void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& f) {
  if (n <= 0) return;
  grain = std::max<int64_t>(1, grain);
  const int64_t chunks = ceil_div(n, grain);
  const auto run = [&](int64_t chunk) { f(chunk * grain, std::min(n, (chunk + 1) * grain)); };
  const auto run_all = [&] {
    const AsWorker as_worker(0);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) run(chunk);
  };
  if (pool().threads == 1 || chunks == 1 || inside_a_chunk) return run_all();
  std::unique_lock lock(submit_mutex, std::try_to_lock);
  if (!lock) return run_all();
  if (!pool().workers) start_workers();
  const int threads = int(std::min<int64_t>(pool().threads, chunks));
  if (threads == 1) return run_all();
  pool().workers->run(threads, chunks, run);
}

int worker() { return worker_index; }

}  // namespace kernels
}  // namespace kern
