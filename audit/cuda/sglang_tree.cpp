// SGLang's tree kernel, launched row by row in blocks of one thread; tiles of one token, two or four, as the vocabulary asks.
#include <flashinfer/sampling.cuh>
#include <numeric>

// CUDA's compiler needs no keyword to know that `.Sum<...>` is a template; others do.
#define Sum template Sum
#include <sgl_kernel/speculative/sampling.cuh>
#undef Sum

namespace sglang::speculative_sampling {
alignas(16) uint8_t smem_sampling[64];
}

template <uint32_t TILE>
static void launch(int32_t* predicts, int32_t* accept_index, int32_t* accept_token_num, int64_t* candidates,
                   int64_t* retrive_index, int64_t* retrive_next_token, int64_t* retrive_next_sibling,
                   float* uniform_samples, float* uniform_samples_for_final_sampling, float* target_probs,
                   float* draft_probs, uint32_t batch_size, uint32_t spec_tokens, uint32_t draft_tokens,
                   uint32_t vocab_size) {
  for (blockIdx.x = 0; blockIdx.x < batch_size; ++blockIdx.x)
    sglang::speculative_sampling::TreeSpeculativeSamplingTargetOnly<1, cub::SCAN, cub::REDUCE, TILE, true, float,
                                                                     int32_t, int64_t>(
        predicts, accept_index, accept_token_num, candidates, retrive_index, retrive_next_token, retrive_next_sibling,
        uniform_samples, uniform_samples_for_final_sampling, target_probs, draft_probs, batch_size, spec_tokens,
        draft_tokens, vocab_size, 1.0f, 1.0f);
}

extern "C" void tree_speculative_sampling_target_only(
    int32_t* predicts, int32_t* accept_index, int32_t* accept_token_num, int64_t* candidates, int64_t* retrive_index,
    int64_t* retrive_next_token, int64_t* retrive_next_sibling, float* uniform_samples,
    float* uniform_samples_for_final_sampling, float* target_probs, float* draft_probs, uint32_t batch_size,
    uint32_t spec_tokens, uint32_t draft_tokens, uint32_t vocab_size) {
  const auto tile = std::gcd(4u, vocab_size);
  const auto chosen = tile == 4 ? launch<4> : tile == 2 ? launch<2> : launch<1>;
  chosen(predicts, accept_index, accept_token_num, candidates, retrive_index, retrive_next_token, retrive_next_sibling,
         uniform_samples, uniform_samples_for_final_sampling, target_probs, draft_probs, batch_size, spec_tokens,
         draft_tokens, vocab_size);
}
