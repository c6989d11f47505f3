// The part of CUDA that tree.cu needs, in plain C++. Threads run one after the other, so only kernels whose threads
// share nothing can run here.
#pragma once

#define __global__
#define __device__ static
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(threads)

struct uint4 {
    unsigned x, y, z, w;
} __attribute__((aligned(16)));

struct dim3 {
    unsigned x, y, z;
};

static thread_local dim3 blockIdx, blockDim, threadIdx;

static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

static inline uint4 __ldg(const uint4 *from) { return *from; }

static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return (unsigned)((((unsigned long long)high << 32) | low) >> (shift & 31));
}

static inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
    unsigned long long bytes = ((unsigned long long)y << 32) | x;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= (unsigned)((bytes >> (8 * (selector >> (4 * i) & 7))) & 0xff) << (8 * i);
    return result;
}
