/* SHA-256 of many 4096-byte blocks at once, for hash trees (fs-verity, dm-verity). The names are those of FIPS 180-4.
 *
 * The blocks of a tree are independent and have equal length, so several share one instruction stream:
 *   sha-ni x4, arm sha2 x4   a SHA instruction takes several clocks; those of other messages need not wait for it
 *   avx512 x16               one message in each 32-bit lane of the vector registers
 * The SHA-256 of a whole file is serial, but it cuts the file into the same 64-byte chunks as the tree's leaves, so one
 * message schedule serves both states (provenance_take_both).
 *
 * This is plain C without Python. native.py loads it through ctypes, so that other threads run meanwhile, and compares
 * every implementation that the processor supports with hashlib before it is used. A "way" is such an implementation.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_BYTES 4096
#define CHUNK_BYTES 64 /* the block size of SHA-256 */
#define DIGEST_BYTES 32
#define LANES_MAX 16
#define AHEAD_CHUNKS 16 /* the distance of prefetches; a prefetch beyond the end does no harm */
#define EXPORT __attribute__((visibility("default")))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef uint32_t state_words[8];

/* Add `chunks` chunks to the states of as many messages as the way has lanes. */
typedef void compress_function(state_words *states, const uint8_t *const *messages, size_t chunks);

struct way {
    const char *name;
    int (*is_present)(void);
    compress_function *compress;
    size_t lanes;
};

static const state_words INITIAL = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t K[64] __attribute__((aligned(16), unused)) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* ---- SHA instructions: the differences between the processors. A `quad` is four words. ---- */

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#define SHA_NAME "sha-ni x4"
#define SHA_TARGET __attribute__((target("sha,ssse3,sse4.1")))

typedef __m128i quad;
typedef struct {
    quad abef, cdgh;
} state_quads;

static int has_sha(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

SHA_TARGET static inline quad load_words(const uint8_t *bytes) {
    const quad swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(_mm_loadu_si128((const quad *)bytes), swap);
}

SHA_TARGET static inline state_quads load_state(const uint32_t *words) {
    quad badc = _mm_shuffle_epi32(_mm_loadu_si128((const quad *)words), 0xb1);
    quad hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const quad *)(words + 4)), 0x1b);
    return (state_quads){_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

SHA_TARGET static inline void store_state(uint32_t *words, state_quads state) {
    quad abef = _mm_shuffle_epi32(state.abef, 0x1b);
    quad ghcd = _mm_shuffle_epi32(state.cdgh, 0xb1);
    _mm_storeu_si128((quad *)words, _mm_blend_epi16(abef, ghcd, 0xf0));
    _mm_storeu_si128((quad *)(words + 4), _mm_alignr_epi8(ghcd, abef, 8));
}

SHA_TARGET static inline state_quads add_states(state_quads x, state_quads y) {
    return (state_quads){_mm_add_epi32(x.abef, y.abef), _mm_add_epi32(x.cdgh, y.cdgh)};
}

SHA_TARGET static inline quad add_constants(quad words, int first) {
    return _mm_add_epi32(words, _mm_load_si128((const quad *)(K + first)));
}

SHA_TARGET static inline state_quads four_rounds(state_quads state, quad summed) {
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, summed);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(summed, 0x0e));
    return state;
}

SHA_TARGET static inline quad next_words(quad w0, quad w1, quad w2, quad w3) {
    quad sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

#elif defined(__aarch64__) && defined(__linux__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define SHA_NAME "arm sha2 x4"
#if defined(__clang__)
#define SHA_TARGET __attribute__((target("sha2")))
#else
#define SHA_TARGET __attribute__((target("+crypto"))) /* "+sha2" is not enough for GCC 12 */
#endif

typedef uint32x4_t quad;
typedef struct {
    quad abcd, efgh;
} state_quads;

static int has_sha(void) { return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0; }

SHA_TARGET static inline quad load_words(const uint8_t *bytes) {
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
}

SHA_TARGET static inline state_quads load_state(const uint32_t *words) {
    return (state_quads){vld1q_u32(words), vld1q_u32(words + 4)};
}

SHA_TARGET static inline void store_state(uint32_t *words, state_quads state) {
    vst1q_u32(words, state.abcd);
    vst1q_u32(words + 4, state.efgh);
}

SHA_TARGET static inline state_quads add_states(state_quads x, state_quads y) {
    return (state_quads){vaddq_u32(x.abcd, y.abcd), vaddq_u32(x.efgh, y.efgh)};
}

SHA_TARGET static inline quad add_constants(quad words, int first) { return vaddq_u32(words, vld1q_u32(K + first)); }

SHA_TARGET static inline state_quads four_rounds(state_quads state, quad summed) {
    return (state_quads){vsha256hq_u32(state.abcd, state.efgh, summed),
                         vsha256h2q_u32(state.efgh, state.abcd, summed)};
}

SHA_TARGET static inline quad next_words(quad w0, quad w1, quad w2, quad w3) {
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

#endif

#if defined(SHA_NAME)

/* Add `chunks` chunks of each message to `share` states, which lie side by side. All callers pass constants for `count`
 * and `share`, so that the compiler unrolls everything but the outermost loop. */
SHA_TARGET ALWAYS_INLINE void compress_sha(state_words *states, const uint8_t *const *messages, int count, int share,
                                           size_t chunks) {
    state_quads state[4], before[4];
    quad words[4][4]; /* the last 16 words of each message's schedule */
    for (int s = 0; s < count * share; s++) state[s] = load_state(states[s]);
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        for (int s = 0; s < count * share; s++) before[s] = state[s];
        /* Another core has often just read the data, and the loop below already waits for its own results. */
        for (int m = 0; m < count; m++) __builtin_prefetch(messages[m] + (chunk + AHEAD_CHUNKS) * CHUNK_BYTES);
#pragma GCC unroll 16
        for (int t = 0; t < 16; t++) { /* four rounds each */
#pragma GCC unroll 4
            for (int m = 0; m < count; m++) {
                quad *w = words[m];
                w[t % 4] = t < 4 ? load_words(messages[m] + chunk * CHUNK_BYTES + t * 16)
                                 : next_words(w[t % 4], w[(t + 1) % 4], w[(t + 2) % 4], w[(t + 3) % 4]);
                quad summed = add_constants(w[t % 4], 4 * t);
#pragma GCC unroll 2
                for (int s = m * share; s < (m + 1) * share; s++) state[s] = four_rounds(state[s], summed);
            }
        }
        for (int s = 0; s < count * share; s++) state[s] = add_states(state[s], before[s]);
    }
    for (int s = 0; s < count * share; s++) store_state(states[s], state[s]);
}

SHA_TARGET static void compress_four(state_words *states, const uint8_t *const *messages, size_t chunks) {
    compress_sha(states, messages, 4, 1, chunks);
}

SHA_TARGET static void compress_one(state_words *state, const uint8_t *message, size_t chunks) {
    compress_sha(state, &message, 1, 1, chunks);
}

SHA_TARGET static void compress_into_two(state_words *states, const uint8_t *message, size_t chunks) {
    compress_sha(states, &message, 1, 2, chunks);
}

#endif

#if defined(__x86_64__)
#include "_native_avx512.h"
#endif

/* ---- Blocks, for every way ---- */

static const struct way WAYS[] = {
#if defined(SHA_NAME)
    {SHA_NAME, has_sha, compress_four, 4},
#endif
#if defined(__x86_64__)
    {"avx512 x16", has_avx512, compress_sixteen, 16},
#endif
    {NULL, NULL, NULL, 0},
};

static void store_big_endian(uint8_t *bytes, uint64_t value, int count) {
    for (int i = 0; i < count; i++) bytes[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
}

static void store_digest(uint8_t *digest, const uint32_t *words) {
    for (int i = 0; i < 8; i++) store_big_endian(digest + 4 * i, words[i], 4);
}

/* Write the padding of a message of `total` bytes after its last `rest` bytes, fewer than 64, and return the number of
 * chunks: one or two. */
static size_t pad(uint8_t *chunks, size_t rest, uint64_t total) {
    size_t size = rest + 9 <= CHUNK_BYTES ? CHUNK_BYTES : 2 * CHUNK_BYTES;
    chunks[rest] = 0x80;
    memset(chunks + rest + 1, 0, size - rest - 9);
    store_big_endian(chunks + size - 8, 8 * total, 8);
    return size / CHUNK_BYTES;
}

/* Hash salt + block for as many blocks as there are lanes, in three parts: the salt with the bytes of the block that
 * fill up its last chunk, whole chunks directly from the block, and the remaining bytes with the padding. */
static void hash_lanes(const struct way *way, const uint8_t *const *blocks, const uint8_t *salt, size_t salt_bytes,
                       state_words *states) {
    uint8_t edges[LANES_MAX][2 * CHUNK_BYTES];
    const uint8_t *edge[LANES_MAX], *body[LANES_MAX];
    size_t salted = salt_bytes - salt_bytes % CHUNK_BYTES, over = salt_bytes % CHUNK_BYTES;
    size_t head = over ? CHUNK_BYTES - over : 0, tail = over, ends = 0;

    for (size_t lane = 0; lane < way->lanes; lane++) {
        memcpy(states[lane], INITIAL, sizeof(state_words));
        memcpy(edges[lane], salt + salted, over);
        memcpy(edges[lane] + over, blocks[lane], head);
        edge[lane] = salt;
        body[lane] = blocks[lane] + head;
    }
    way->compress(states, edge, salted / CHUNK_BYTES);
    for (size_t lane = 0; lane < way->lanes; lane++) edge[lane] = edges[lane];
    way->compress(states, edge, over ? 1 : 0);
    way->compress(states, body, (BLOCK_BYTES - head) / CHUNK_BYTES);
    for (size_t lane = 0; lane < way->lanes; lane++) {
        memcpy(edges[lane], blocks[lane] + BLOCK_BYTES - tail, tail);
        ends = pad(edges[lane], tail, salt_bytes + BLOCK_BYTES);
    }
    way->compress(states, edge, ends);
}

/* Return the name of way number `index`: NULL past the last one, "" if this processor does not support it. */
EXPORT const char *provenance_way(size_t index) {
    if (index >= sizeof WAYS / sizeof *WAYS || !WAYS[index].name) return NULL;
    return WAYS[index].is_present() ? WAYS[index].name : "";
}

/* Write SHA-256(salt + block) of every 4096-byte block of `data` to `digests`, 32 bytes each. */
EXPORT void provenance_hash_blocks(size_t way_index, const uint8_t *data, size_t blocks, const uint8_t *salt,
                                   size_t salt_bytes, uint8_t *digests) {
    const struct way *way = &WAYS[way_index];
    state_words states[LANES_MAX];
    const uint8_t *lanes[LANES_MAX];
    for (size_t first = 0; first < blocks; first += way->lanes) {
        for (size_t lane = 0; lane < way->lanes; lane++) /* the last block also fills the unused lanes */
            lanes[lane] = data + (first + lane < blocks ? first + lane : blocks - 1) * BLOCK_BYTES;
        hash_lanes(way, lanes, salt, salt_bytes, states);
        for (size_t lane = 0; lane < way->lanes && first + lane < blocks; lane++)
            store_digest(digests + (first + lane) * DIGEST_BYTES, states[lane]);
    }
}

/* Return the SHA-256 (hex) of the sources of this library. native.py uses no library of other sources. */
EXPORT const char *provenance_source(void) { return SOURCE_SHA256; }

/* ---- The SHA-256 of a whole file: only with SHA instructions ---- */

#if defined(SHA_NAME)

EXPORT int provenance_has_file_hash(void) { return has_sha(); }

EXPORT void provenance_start(uint32_t *file) { memcpy(file, INITIAL, sizeof INITIAL); }

/* Add whole blocks to the state of the file. */
EXPORT void provenance_take(uint32_t *file, const uint8_t *data, size_t blocks) {
    compress_one((state_words *)file, data, blocks * (BLOCK_BYTES / CHUNK_BYTES));
}

/* Add whole blocks to the state of the file, and write the digest of each block to `digests`. */
EXPORT void provenance_take_both(uint32_t *file, const uint8_t *data, size_t blocks, uint8_t *digests) {
    state_words states[2]; /* the file's and a block's */
    uint8_t end[2 * CHUNK_BYTES];
    pad(end, 0, BLOCK_BYTES);
    memcpy(states[0], file, sizeof(state_words));
    for (size_t block = 0; block < blocks; block++) {
        memcpy(states[1], INITIAL, sizeof(state_words));
        compress_into_two(states, data + block * BLOCK_BYTES, BLOCK_BYTES / CHUNK_BYTES);
        compress_one(&states[1], end, 1);
        store_digest(digests + block * DIGEST_BYTES, states[1]);
    }
    memcpy(file, states[0], sizeof(state_words));
}

/* Finish the SHA-256 of a file of `total` bytes. `data` holds its last `rest` bytes, fewer than 4096. */
EXPORT void provenance_finish(uint32_t *file, const uint8_t *data, size_t rest, uint64_t total, uint8_t *digest) {
    uint8_t end[2 * CHUNK_BYTES];
    size_t over = rest % CHUNK_BYTES;
    compress_one((state_words *)file, data, rest / CHUNK_BYTES);
    memcpy(end, data + rest - over, over);
    compress_one((state_words *)file, end, pad(end, over, total));
    store_digest(digest, file);
}

#endif
