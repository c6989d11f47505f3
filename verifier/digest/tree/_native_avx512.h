/* SHA-256 of sixteen messages at once with AVX-512: one register holds word i of all sixteen. Part of _native.c. */

#define VECTOR_TARGET __attribute__((target("avx512f,avx512bw")))
#define ROTATE _mm512_ror_epi32
#define SHIFT _mm512_srli_epi32
#define ADD _mm512_add_epi32
#define XOR(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CHOOSE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)

typedef __m512i vector;

static int has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

/* Turn 16 rows (a chunk of each message) into 16 columns (word i of each message). */
VECTOR_TARGET static inline void load_columns(vector *w, const uint8_t *const *messages, size_t offset) {
    const vector swap = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    vector row[16];
    for (int i = 0; i < 16; i++) {
        __builtin_prefetch(messages[i] + offset + AHEAD_CHUNKS / 4 * CHUNK_BYTES); /* a shorter distance for sixteen streams */
        row[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(messages[i] + offset), swap);
    }
    for (int i = 0; i < 16; i += 4) { /* within each 128-bit quarter: 4 rows of 4 words, transposed */
        vector low01 = _mm512_unpacklo_epi32(row[i], row[i + 1]), low23 = _mm512_unpacklo_epi32(row[i + 2], row[i + 3]);
        vector high01 = _mm512_unpackhi_epi32(row[i], row[i + 1]), high23 = _mm512_unpackhi_epi32(row[i + 2], row[i + 3]);
        row[i] = _mm512_unpacklo_epi64(low01, low23);
        row[i + 1] = _mm512_unpackhi_epi64(low01, low23);
        row[i + 2] = _mm512_unpacklo_epi64(high01, high23);
        row[i + 3] = _mm512_unpackhi_epi64(high01, high23);
    }
    for (int i = 0; i < 4; i++) { /* 4 rows of 4 quarters, transposed */
        vector low01 = _mm512_shuffle_i32x4(row[i], row[i + 4], 0x44), low23 = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0x44);
        vector high01 = _mm512_shuffle_i32x4(row[i], row[i + 4], 0xee), high23 = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0xee);
        w[i] = _mm512_shuffle_i32x4(low01, low23, 0x88);
        w[i + 4] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
        w[i + 8] = _mm512_shuffle_i32x4(high01, high23, 0x88);
        w[i + 12] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
    }
}

VECTOR_TARGET static inline vector next_column(const vector *w, int t) {
    vector w15 = w[(t + 1) % 16], w2 = w[(t + 14) % 16];
    vector s0 = XOR(ROTATE(w15, 7), ROTATE(w15, 18), SHIFT(w15, 3));
    vector s1 = XOR(ROTATE(w2, 17), ROTATE(w2, 19), SHIFT(w2, 10));
    return ADD(ADD(w[t % 16], s0), ADD(w[(t + 9) % 16], s1));
}

VECTOR_TARGET static void compress_sixteen(state_words *states, const uint8_t *const *messages, size_t chunks) {
    uint32_t column[8][16];
    vector s[8], w[16];
    for (int i = 0; i < 8; i++) {
        for (int lane = 0; lane < 16; lane++) column[i][lane] = states[lane][i];
        s[i] = _mm512_loadu_si512(column[i]);
    }
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        vector a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        load_columns(w, messages, chunk * CHUNK_BYTES);
#pragma GCC unroll 64
        for (int t = 0; t < 64; t++) {
            if (t >= 16) w[t % 16] = next_column(w, t);
            vector sum1 = XOR(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25));
            vector sum0 = XOR(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22));
            vector constant = ADD(w[t % 16], _mm512_set1_epi32((int)K[t]));
            vector t1 = ADD(ADD(h, sum1), ADD(CHOOSE(e, f, g), constant));
            vector t2 = ADD(sum0, MAJORITY(a, b, c));
            h = g, g = f, f = e, e = ADD(d, t1), d = c, c = b, b = a, a = ADD(t1, t2);
        }
        s[0] = ADD(s[0], a), s[1] = ADD(s[1], b), s[2] = ADD(s[2], c), s[3] = ADD(s[3], d);
        s[4] = ADD(s[4], e), s[5] = ADD(s[5], f), s[6] = ADD(s[6], g), s[7] = ADD(s[7], h);
    }
    for (int i = 0; i < 8; i++) {
        _mm512_storeu_si512(column[i], s[i]);
        for (int lane = 0; lane < 16; lane++) states[lane][i] = column[i][lane];
    }
}
