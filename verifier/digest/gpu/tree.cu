// SHA-256 of 4096-byte blocks, one block to a thread: the leaves and the nodes of a hash tree (fs-verity, dm-verity).
//
//   hash_blocks          contiguous blocks: file bytes in a buffer, or the digests of the level below
//   hash_segments        blocks of a file whose bytes are scattered over memory, such as the weights of a live model
//   hash_salted_blocks   blocks with a salt before each block, as in dm-verity
//
// A thread reads its block 64 bytes at a time with 16-byte loads, keeps state and message schedule in registers, and
// writes 32 bytes. Threads share nothing and do not wait for each other, so the tests build the same source as C++ and
// run one thread after the other on a CPU. The arithmetic is the limit (FIPS 180-4: 64 rounds, 65 times per block), not
// the memory. Names are those of FIPS 180-4. All offsets and sizes have 64 bits.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define BLOCK_BYTES 4096
#define CHUNK_BYTES 64  // the block size of SHA-256
#define THREADS 128

// The address of the bytes of a file from `offset` up to the offset of the next segment. A table is sorted and begins
// at offset 0. It has one additional segment at the end, whose offset is the size of the file.
struct Segment {
    u64 offset;
    u64 address;
};

__constant__ u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__device__ __forceinline__ u32 rotate(u32 x, int n) { return __funnelshift_r(x, x, n); }

__device__ __forceinline__ u32 swap_bytes(u32 x) { return __byte_perm(x, 0, 0x0123); }

__device__ __forceinline__ u64 thread_index() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

__device__ __forceinline__ void start(u32 (&state)[8]) {
    state[0] = 0x6a09e667, state[1] = 0xbb67ae85, state[2] = 0x3c6ef372, state[3] = 0xa54ff53a;
    state[4] = 0x510e527f, state[5] = 0x9b05688c, state[6] = 0x1f83d9ab, state[7] = 0x5be0cd19;
}

// Add one chunk to the state. `w` holds the last 16 words of the message schedule.
__device__ __forceinline__ void compress(u32 (&state)[8], u32 (&w)[16]) {
    u32 a = state[0], b = state[1], c = state[2], d = state[3];
    u32 e = state[4], f = state[5], g = state[6], h = state[7];
#pragma unroll
    for (int t = 0; t < 64; ++t) {
        if (t >= 16) {
            u32 w15 = w[(t + 1) % 16], w2 = w[(t + 14) % 16];
            u32 s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3);
            u32 s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10);
            w[t % 16] += s0 + w[(t + 9) % 16] + s1;
        }
        u32 sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        u32 sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        u32 choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
        u32 t1 = h + sum1 + choice + K[t] + w[t % 16];
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + sum0 + majority;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

// Load the last chunk of a 4096-byte message: only padding and the length in bits.
__device__ __forceinline__ void load_end(u32 (&w)[16]) {
#pragma unroll
    for (int i = 0; i < 16; ++i) w[i] = 0;
    w[0] = 0x80000000;
    w[15] = 8 * BLOCK_BYTES;
}

__device__ __forceinline__ void load_words(u32* w, uint4 quad) {
    w[0] = quad.x, w[1] = quad.y, w[2] = quad.z, w[3] = quad.w;
}

// Load 64 bytes from an address that is a multiple of 16.
__device__ __forceinline__ void load_aligned(u32 (&w)[16], u64 address) {
    const uint4* from = (const uint4*)address;
#pragma unroll
    for (int i = 0; i < 4; ++i) load_words(w + 4 * i, __ldg(from + i));
#pragma unroll
    for (int i = 0; i < 16; ++i) w[i] = swap_bytes(w[i]);
}

// Load 64 bytes from any other address: load the five aligned quads that hold them, then shift by whole words and by
// bytes. Every quad holds at least one of the bytes, and memory is allocated in multiples of 16 bytes.
__device__ __forceinline__ void load_shifted(u32 (&w)[16], u64 address) {
    const uint4* from = (const uint4*)(address & ~15ull);
    u32 over = (u32)address & 15, q[20];
#pragma unroll
    for (int i = 0; i < 5; ++i) load_words(q + 4 * i, __ldg(from + i));
#pragma unroll
    for (int i = 0; i < 18; ++i) q[i] = over & 8 ? q[i + 2] : q[i];
#pragma unroll
    for (int i = 0; i < 17; ++i) q[i] = over & 4 ? q[i + 1] : q[i];
#pragma unroll
    for (int i = 0; i < 16; ++i) w[i] = swap_bytes(__funnelshift_r(q[i], q[i + 1], 8 * (over & 3)));
}

__device__ __forceinline__ void load_chunk(u32 (&w)[16], u64 address) {
    if (address & 15)
        load_shifted(w, address);
    else
        load_aligned(w, address);
}

// Append a word and drop the first. Sixteen calls fill a chunk without an index into registers.
__device__ __forceinline__ void append(u32 (&w)[16], u32 word) {
#pragma unroll
    for (int i = 0; i < 15; ++i) w[i] = w[i + 1];
    w[15] = word;
}

__device__ __forceinline__ void store(uint4* digest, const u32 (&state)[8]) {
    digest[0] = make_uint4(swap_bytes(state[0]), swap_bytes(state[1]), swap_bytes(state[2]), swap_bytes(state[3]));
    digest[1] = make_uint4(swap_bytes(state[4]), swap_bytes(state[5]), swap_bytes(state[6]), swap_bytes(state[7]));
}

// Write the digests of `blocks` blocks from `data` on, a multiple of 16. The caller pads the last block with zeros.
extern "C" __global__ void __launch_bounds__(THREADS) hash_blocks(const u8* data, u64 blocks, uint4* digests) {
    u64 index = thread_index();
    if (index >= blocks) return;
    u64 address = (u64)data + index * BLOCK_BYTES;
    u32 state[8];
    start(state);
#pragma unroll 1
    for (u32 at = 0; at <= BLOCK_BYTES; at += CHUNK_BYTES) {
        u32 w[16];
        if (at < BLOCK_BYTES)
            load_aligned(w, address + at);
        else
            load_end(w);
        compress(state, w);
    }
    store(digests + 2 * index, state);
}

// Return the last segment that begins at or before `position`.
__device__ __forceinline__ const Segment* find(const Segment* table, u64 segments, u64 position) {
    u64 low = 0, high = segments;
    while (high - low > 1) {
        u64 middle = (low + high) / 2;
        if (table[middle].offset <= position)
            low = middle;
        else
            high = middle;
    }
    return table + low;
}

// Load 64 bytes, byte by byte, that may lie in several segments or beyond the end of the file.
__device__ __forceinline__ void load_scattered(u32 (&w)[16], const Segment*& segment, u64 position, u64 size) {
#pragma unroll 1
    for (int i = 0; i < 16; ++i) {
        u32 word = 0;
#pragma unroll 1
        for (int j = 0; j < 4; ++j, ++position) {
            word <<= 8;
            if (position >= size) continue;
            while (segment[1].offset <= position) ++segment;
            word |= *(const u8*)(segment->address + (position - segment->offset));
        }
        append(w, word);
    }
}

// Write the digests of `blocks` blocks, from block number `first` on, of the file that the table of `segments` segments
// (at least one) describes. Zeros follow the end of the file.
extern "C" __global__ void __launch_bounds__(THREADS)
    hash_segments(const Segment* table, u64 segments, u64 first, u64 blocks, uint4* digests) {
    u64 index = thread_index();
    if (index >= blocks) return;
    u64 position = (first + index) * BLOCK_BYTES, size = table[segments].offset;
    const Segment* segment = find(table, segments, position);
    u64 address = segment->address + (position - segment->offset);
    bool together = segment[1].offset >= position + BLOCK_BYTES;
    u32 state[8];
    start(state);
#pragma unroll 1
    for (u32 at = 0; at <= BLOCK_BYTES; at += CHUNK_BYTES) {
        u32 w[16];
        if (at == BLOCK_BYTES)
            load_end(w);
        else if (together)
            load_chunk(w, address + at);
        else
            load_scattered(w, segment, position + at, size);
        compress(state, w);
    }
    store(digests + 2 * index, state);
}

// Return byte number `at` of salt + block + padding, which have `end` bytes together.
__device__ __forceinline__ u32 salted_byte(const u8* salt, u32 salt_bytes, u64 address, u32 at, u32 end) {
    u32 message = salt_bytes + BLOCK_BYTES;
    if (at < salt_bytes) return salt[at];
    if (at < message) return *(const u8*)(address + (at - salt_bytes));
    if (at == message) return 0x80;
    return end - at <= 4 ? 8 * message >> 8 * (end - at - 1) & 0xff : 0;
}

// Write the digests of salt + block for any salt; otherwise as `hash_blocks`.
extern "C" __global__ void __launch_bounds__(THREADS)
    hash_salted_blocks(const u8* data, u64 blocks, const u8* salt, u64 salt_size, uint4* digests) {
    u64 index = thread_index();
    if (index >= blocks) return;
    u64 address = (u64)data + index * BLOCK_BYTES;
    u32 salt_bytes = (u32)salt_size;
    u32 end = (salt_bytes + BLOCK_BYTES + 9 + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_BYTES;
    u32 state[8];
    start(state);
#pragma unroll 1
    for (u32 at = 0; at < end; at += CHUNK_BYTES) {
        u32 w[16];
        if (at >= salt_bytes && at + CHUNK_BYTES <= salt_bytes + BLOCK_BYTES) {
            load_chunk(w, address + (at - salt_bytes));
        } else {
#pragma unroll 1
            for (u32 i = at; i < at + CHUNK_BYTES; i += 4) {
                u32 word = 0;
#pragma unroll 1
                for (u32 j = i; j < i + 4; ++j) word = word << 8 | salted_byte(salt, salt_bytes, address, j, end);
                append(w, word);
            }
        }
        compress(state, w);
    }
    store(digests + 2 * index, state);
}
