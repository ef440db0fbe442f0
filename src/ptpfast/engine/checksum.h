/* A running 128-bit checksum against accidents, not against an attacker: what a disk has lost, or
 * another program has changed, in bytes that a part file is continued from.
 *
 * The accumulation is that of XXH3 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md):
 * stripes of 64 bytes into eight 64-bit lanes, each lane scrambled after 16 stripes. The end is
 * simpler, so the values are ours and are compared only with each other.
 *
 * The value depends on the bytes alone: not on the byte order of the machine, not on alignment, and
 * not on how the bytes are cut into calls. tests/checksum_oracle.py has the same in plain Python.
 */
#ifndef PTPFAST_CHECKSUM_H
#define PTPFAST_CHECKSUM_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define PTPFAST_AVX2 1 /* compiled beside the rest, and used where the processor has it */
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define PTPFAST_STRIPE 64
#define PTPFAST_STRIPES 16 /* until the lanes are scrambled */
#define PTPFAST_PRIME_32 UINT64_C(0x9E3779B1)
#define PTPFAST_PRIME_A UINT64_C(0x9E3779B185EBCA87)
#define PTPFAST_PRIME_B UINT64_C(0xC2B2AE3D27D4EB4F)

typedef struct {
    uint64_t lanes[8];
    uint64_t size;                 /* bytes so far */
    uint8_t rest[PTPFAST_STRIPE];  /* the last size % 64 of them: not accumulated yet */
} ptpfast_checksum;

/* Stripe n of a block takes words n to n + 7, so that stripes cannot change places. They are the
 * first outputs of SplitMix64 with seed 0 (https://prng.di.unimi.it/splitmix64.c). */
static const uint64_t ptpfast_secret[PTPFAST_STRIPES + 8] = {
    UINT64_C(0xE220A8397B1DCDAF), UINT64_C(0x6E789E6AA1B965F4), UINT64_C(0x06C45D188009454F),
    UINT64_C(0xF88BB8A8724C81EC), UINT64_C(0x1B39896A51A8749B), UINT64_C(0x53CB9F0C747EA2EA),
    UINT64_C(0x2C829ABE1F4532E1), UINT64_C(0xC584133AC916AB3C), UINT64_C(0x3EE5789041C98AC3),
    UINT64_C(0xF3B8488C368CB0A6), UINT64_C(0x657EECDD3CB13D09), UINT64_C(0xC2D326E0055BDEF6),
    UINT64_C(0x8621A03FE0BBDB7B), UINT64_C(0x8E1F7555983AA92F), UINT64_C(0xB54E0F1600CC4D19),
    UINT64_C(0x84BB3F97971D80AB), UINT64_C(0x7D29825C75521255), UINT64_C(0xC3CF17102B7F7F86),
    UINT64_C(0x3466E9A083914F64), UINT64_C(0xD81A8D2B5A4485AC), UINT64_C(0xDB01602B100B9ED7),
    UINT64_C(0xA9038A921825F10D), UINT64_C(0xEDF5F1D90DCA2F6A), UINT64_C(0x54496AD67BD2634C),
};

static inline uint64_t ptpfast_word(const uint8_t *bytes) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;
    memcpy(&word, bytes, 8); /* no alignment is asked for */
    return word;
#else
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
#endif
}

static inline void ptpfast_accumulate(uint64_t *lanes, const uint8_t *stripe, const uint64_t *secret) {
    for (int i = 0; i < 8; i++) {
        uint64_t data = ptpfast_word(stripe + 8 * i), key = data ^ secret[i];
        lanes[i ^ 1] += data; /* or a key half of 0 would hide the other half */
        lanes[i] += (key & 0xFFFFFFFF) * (key >> 32);
    }
}

static inline void ptpfast_scramble(uint64_t *lanes) {
    for (int i = 0; i < 8; i++)
        lanes[i] = (lanes[i] ^ lanes[i] >> 47 ^ ptpfast_secret[PTPFAST_STRIPES + i]) * PTPFAST_PRIME_32;
}

static inline void ptpfast_checksum_init(ptpfast_checksum *sum) {
    memset(sum, 0, sizeof *sum);
    memcpy(sum->lanes, ptpfast_secret, sizeof sum->lanes);
}

/* `count` stripes, the first with the words from `secret` on. Nothing is scrambled. */
#if defined(__SSE2__)
static inline __m128i ptpfast_mixed(__m128i lane, const uint8_t *stripe, const uint64_t *secret) {
    __m128i data = _mm_loadu_si128((const __m128i *)stripe);
    __m128i key = _mm_xor_si128(data, _mm_loadu_si128((const __m128i *)secret));
    __m128i product = _mm_mul_epu32(key, _mm_srli_epi64(key, 32));
    lane = _mm_add_epi64(lane, _mm_shuffle_epi32(data, _MM_SHUFFLE(1, 0, 3, 2)));
    return _mm_add_epi64(lane, product);
}

static inline void ptpfast_stripes(uint64_t *lanes, const uint8_t *bytes, const uint64_t *secret, size_t count) {
    __m128i *to = (__m128i *)lanes; /* as variables they stay in registers */
    __m128i a = _mm_loadu_si128(to), b = _mm_loadu_si128(to + 1);
    __m128i c = _mm_loadu_si128(to + 2), d = _mm_loadu_si128(to + 3);
    for (; count; count--, bytes += PTPFAST_STRIPE, secret++) {
        a = ptpfast_mixed(a, bytes, secret);
        b = ptpfast_mixed(b, bytes + 16, secret + 2);
        c = ptpfast_mixed(c, bytes + 32, secret + 4);
        d = ptpfast_mixed(d, bytes + 48, secret + 6);
    }
    _mm_storeu_si128(to, a);
    _mm_storeu_si128(to + 1, b);
    _mm_storeu_si128(to + 2, c);
    _mm_storeu_si128(to + 3, d);
}
#else
static inline void ptpfast_stripes(uint64_t *lanes, const uint8_t *bytes, const uint64_t *secret, size_t count) {
    for (; count; count--, bytes += PTPFAST_STRIPE, secret++)
        ptpfast_accumulate(lanes, bytes, secret);
}
#endif

#if defined(PTPFAST_AVX2)
/* The same for whole blocks of 1 KiB, each of which is scrambled: twice as fast. */
__attribute__((target("avx2"))) static inline __m256i
ptpfast_mixed_wide(__m256i lane, const uint8_t *stripe, const uint64_t *secret) {
    __m256i data = _mm256_loadu_si256((const __m256i *)stripe);
    __m256i key = _mm256_xor_si256(data, _mm256_loadu_si256((const __m256i *)secret));
    __m256i product = _mm256_mul_epu32(key, _mm256_srli_epi64(key, 32));
    lane = _mm256_add_epi64(lane, _mm256_shuffle_epi32(data, _MM_SHUFFLE(1, 0, 3, 2)));
    return _mm256_add_epi64(lane, product);
}

__attribute__((target("avx2"))) static inline __m256i
ptpfast_scrambled_wide(__m256i lane, const uint64_t *secret) {
    const __m256i prime = _mm256_set1_epi64x((long long)PTPFAST_PRIME_32);
    __m256i key = _mm256_loadu_si256((const __m256i *)secret);
    lane = _mm256_xor_si256(_mm256_xor_si256(lane, _mm256_srli_epi64(lane, 47)), key);
    __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(lane, 32), prime);
    return _mm256_add_epi64(_mm256_mul_epu32(lane, prime), _mm256_slli_epi64(high, 32));
}

__attribute__((target("avx2"))) static void
ptpfast_blocks_wide(uint64_t *lanes, const uint8_t *bytes, size_t count) {
    __m256i *to = (__m256i *)lanes;
    __m256i a = _mm256_loadu_si256(to), b = _mm256_loadu_si256(to + 1);
    for (; count; count--) {
        for (int i = 0; i < PTPFAST_STRIPES; i++, bytes += PTPFAST_STRIPE) {
            a = ptpfast_mixed_wide(a, bytes, ptpfast_secret + i);
            b = ptpfast_mixed_wide(b, bytes + 32, ptpfast_secret + i + 4);
        }
        a = ptpfast_scrambled_wide(a, ptpfast_secret + PTPFAST_STRIPES);
        b = ptpfast_scrambled_wide(b, ptpfast_secret + PTPFAST_STRIPES + 4);
    }
    _mm256_storeu_si256(to, a);
    _mm256_storeu_si256(to + 1, b);
}

/* The same with all lanes in one register: half as long again. */
__attribute__((target("avx512f,avx512dq"))) static void
ptpfast_blocks_widest(uint64_t *lanes, const uint8_t *bytes, size_t count) {
    const __m512i prime = _mm512_set1_epi64((long long)PTPFAST_PRIME_32);
    __m512i lane = _mm512_loadu_si512(lanes), data, key;
    for (; count; count--) {
        for (int i = 0; i < PTPFAST_STRIPES; i++, bytes += PTPFAST_STRIPE) {
            data = _mm512_loadu_si512(bytes);
            key = _mm512_xor_si512(data, _mm512_loadu_si512(ptpfast_secret + i));
            lane = _mm512_add_epi64(lane, _mm512_shuffle_epi32(data, _MM_PERM_BADC));
            lane = _mm512_add_epi64(lane, _mm512_mul_epu32(key, _mm512_srli_epi64(key, 32)));
        }
        key = _mm512_loadu_si512(ptpfast_secret + PTPFAST_STRIPES);
        lane = _mm512_xor_si512(_mm512_xor_si512(lane, _mm512_srli_epi64(lane, 47)), key);
        lane = _mm512_mullo_epi64(lane, prime);
    }
    _mm512_storeu_si512(lanes, lane);
}

static inline int ptpfast_is_widest(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
}
#endif

/* Whole stripes, the first of which begins at byte `at` of everything. */
static inline void ptpfast_checksum_stripes(uint64_t *lanes, uint64_t at, const uint8_t *bytes, size_t count) {
    size_t in_block = (size_t)(at / PTPFAST_STRIPE % PTPFAST_STRIPES), take;
    while (count) {
#if defined(PTPFAST_AVX2)
        if (!in_block && count >= PTPFAST_STRIPES && __builtin_cpu_supports("avx2")) {
            take = count / PTPFAST_STRIPES;
            if (ptpfast_is_widest())
                ptpfast_blocks_widest(lanes, bytes, take);
            else
                ptpfast_blocks_wide(lanes, bytes, take);
            bytes += take * PTPFAST_STRIPES * PTPFAST_STRIPE;
            count -= take * PTPFAST_STRIPES;
            continue;
        }
#endif
        take = PTPFAST_STRIPES - in_block < count ? PTPFAST_STRIPES - in_block : count;
        ptpfast_stripes(lanes, bytes, ptpfast_secret + in_block, take);
        bytes += take * PTPFAST_STRIPE;
        count -= take;
        in_block += take;
        if (in_block == PTPFAST_STRIPES) {
            ptpfast_scramble(lanes);
            in_block = 0;
        }
    }
}

static inline void ptpfast_checksum_add(ptpfast_checksum *sum, const uint8_t *bytes, size_t size) {
    size_t filled = (size_t)(sum->size % PTPFAST_STRIPE), take, count;
    if (filled) {
        take = PTPFAST_STRIPE - filled < size ? PTPFAST_STRIPE - filled : size;
        memcpy(sum->rest + filled, bytes, take);
        sum->size += take;
        bytes += take;
        size -= take;
        if (filled + take < PTPFAST_STRIPE)
            return;
        ptpfast_checksum_stripes(sum->lanes, sum->size - PTPFAST_STRIPE, sum->rest, 1);
    }
    count = size / PTPFAST_STRIPE;
    ptpfast_checksum_stripes(sum->lanes, sum->size, bytes, count);
    sum->size += size;
    if (size % PTPFAST_STRIPE)
        memcpy(sum->rest, bytes + count * PTPFAST_STRIPE, size % PTPFAST_STRIPE);
}

/* Both halves of the product of two 64-bit numbers, folded into one. */
static inline uint64_t ptpfast_fold(uint64_t a, uint64_t b) {
    uint64_t low = (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
    uint64_t one = (a >> 32) * (b & 0xFFFFFFFF) + (low >> 32);
    uint64_t two = (a & 0xFFFFFFFF) * (b >> 32) + (one & 0xFFFFFFFF);
    uint64_t high = (a >> 32) * (b >> 32) + (one >> 32) + (two >> 32);
    return high ^ (two << 32 | (low & 0xFFFFFFFF));
}

static inline uint64_t ptpfast_half(const uint64_t *lanes, const uint64_t *secret, uint64_t half) {
    for (int i = 0; i < 8; i += 2)
        half += ptpfast_fold(lanes[i] ^ secret[i], lanes[i + 1] ^ secret[i + 1]);
    half = (half ^ half >> 37) * PTPFAST_PRIME_A;
    return half ^ half >> 32;
}

/* The value so far; more can be added afterwards. */
static inline void ptpfast_checksum_value(const ptpfast_checksum *sum, uint64_t value[2]) {
    uint64_t lanes[8];
    uint8_t last[PTPFAST_STRIPE] = {0};
    memcpy(lanes, sum->lanes, sizeof lanes);
    memcpy(last, sum->rest, (size_t)(sum->size % PTPFAST_STRIPE));
    ptpfast_accumulate(lanes, last, ptpfast_secret + PTPFAST_STRIPES); /* zeros count by the size */
    value[0] = ptpfast_half(lanes, ptpfast_secret, sum->size * PTPFAST_PRIME_A);
    value[1] = ptpfast_half(lanes, ptpfast_secret + 11, ~sum->size * PTPFAST_PRIME_B);
}

#endif
