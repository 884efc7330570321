// In the place of CUDA, CUB and FlashInfer: what SGLang's tree kernel uses of them, for blocks of one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#define __global__
#define __shared__
#define __align__(bytes) __attribute__((aligned(bytes)))

struct Place {
  uint32_t x = 0;
};
inline Place blockIdx, threadIdx;

inline void __syncthreads() {}

namespace cub {

enum BlockScanAlgorithm { SCAN };
enum BlockReduceAlgorithm { REDUCE };

template <typename T, int THREADS, BlockReduceAlgorithm>
struct BlockReduce {
  static_assert(THREADS == 1);
  struct TempStorage {};
  explicit BlockReduce(TempStorage&) {}
  template <uint32_t N>
  T Sum(T (&items)[N]) {
    T sum(0);
    for (T item : items) sum += item;
    return sum;
  }
};

}  // namespace cub

namespace flashinfer {

using std::max;

inline uint32_t ceil_div(uint32_t number, uint32_t size) { return (number + size - 1) / size; }

template <typename T, uint32_t N>
struct vec_t {
  T items[N];
  T& operator[](uint32_t place) { return items[place]; }
  void fill(T item) { std::fill_n(items, N, item); }
  void load(const T* from) { std::copy_n(from, N, items); }
};

namespace sampling {

using namespace cub;

template <uint32_t THREADS, BlockScanAlgorithm, BlockReduceAlgorithm REDUCES>
struct SamplingTempStorage {
  struct {
    typename BlockReduce<float, THREADS, REDUCES>::TempStorage reduce;
  } block_prim;
  struct {
    float value;
  } block_aggregate;
  int32_t sampled_id, last_valid_id;
};

// The first token of tile i at which the running sum is beyond u, and the last that can be drawn at all.
template <uint32_t N, uint32_t THREADS, BlockScanAlgorithm, BlockReduceAlgorithm, bool, typename Predicate,
          typename Storage>
void DeviceSamplingFromProb(uint32_t i, uint32_t d, Predicate can_be_drawn, float u, vec_t<float, N> weights,
                            float& sum, Storage* storage) {
  for (uint32_t place = 0; place < N && i * N + place < d; ++place) {
    if (!can_be_drawn(weights[place])) continue;
    sum += weights[place];
    storage->last_valid_id = i * N + place;
    if (sum > u && storage->sampled_id == static_cast<int32_t>(d)) storage->sampled_id = i * N + place;
  }
}

}  // namespace sampling
}  // namespace flashinfer
