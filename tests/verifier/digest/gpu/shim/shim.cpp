// The shipped tree.cu (TREE_CU), built as C++. Each function launches one kernel with `threads` threads to a block.
#include "cuda_shim.h"
#include TREE_CU

template <typename Kernel> static void launch(u64 items, u32 threads, Kernel kernel) {
    blockDim = {threads, 1, 1};
    for (u64 thread = 0; thread < (items + threads - 1) / threads * threads; thread++) {
        blockIdx = {(u32)(thread / threads), 0, 0};
        threadIdx = {(u32)(thread % threads), 0, 0};
        kernel();
    }
}

extern "C" void launch_blocks(u32 threads, const u8 *data, u64 blocks, uint4 *digests) {
    launch(blocks, threads, [=] { hash_blocks(data, blocks, digests); });
}

extern "C" void launch_segments(u32 threads, const Segment *table, u64 segments, u64 first, u64 blocks, uint4 *digests) {
    launch(blocks, threads, [=] { hash_segments(table, segments, first, blocks, digests); });
}

extern "C" void launch_salted_blocks(u32 threads, const u8 *data, u64 blocks, const u8 *salt, u64 salt_bytes,
                                     uint4 *digests) {
    launch(blocks, threads, [=] { hash_salted_blocks(data, blocks, salt, salt_bytes, digests); });
}
