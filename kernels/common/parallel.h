// The one thread pool. Work is cut into chunks whose boundaries depend on the problem alone, never on how many threads
// there are or which of them takes a chunk: the same bits for any number. One without a core holds up one chunk alone.
#pragma once
#include <cstdint>
#include <functional>

namespace kern {

// Threads that parallel_for uses: KERN_THREADS, else the cores this process may run on.
int thread_count();
void set_thread_count(int n);  // n >= 1; Error otherwise. Not while work is running.

namespace kernels {

// Calls f(begin, end) for the chunks [0, grain), [grain, 2 grain), ... of [0, n). Chunks must write to different
// places. Inside a worker it runs serially. The first exception of any chunk is thrown here.
void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& f);

// Which thread of the present parallel_for this is, 0 <= worker() < the number of its chunks; 0 outside. For scratch
// that no two chunks use at the same time, and that stays in the thread's cache; never for what is computed.
int worker();

}  // namespace kernels
}  // namespace kern
