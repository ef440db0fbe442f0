/* A running 128-bit checksum against accidents, not against an attacker: what a disk has lost, or
 * another program has changed, in bytes that a part file is continued from.
 *
 * Stripes of 64 bytes are eight 64-bit words, one for each of eight lanes. A lane has a sum of its
 * words and a sum of those sums, as Fletcher's checksum has, so that words cannot change places. The
 * second is turned by three bytes with each stripe, or upper bits would soon be lost. When that
 * comes round, after 8 stripes, the block ends: its sums of sums are added to those of the blocks
 * before it, which are then scrambled, so that blocks cannot change places; and the next block
 * begins with zeros. So a processor can add up several blocks at once: no block's turning waits for
 * the scrambling before it.
 *
 * Over a whole turn, a multiple of 255 comes to nothing: words that differ by one, at the starts of
 * two blocks, could change places unseen. So at its end a block also adds its sums, each times a
 * number. That is even: added to what the last stripe alone gives, it never comes to nothing.
 *
 * The value depends on the bytes alone: not on the byte order of the machine, not on alignment, and
 * not on how the bytes are cut into calls. tests/checksum_oracle.py has the same in plain Python.
 */
#ifndef PTPFAST_CHECKSUM_H
#define PTPFAST_CHECKSUM_H

#include <stdint.h>
#include <string.h>

#define PTPFAST_STRIPE 64
#define PTPFAST_STRIPES 8 /* in a block */
#define PTPFAST_BLOCK (PTPFAST_STRIPE * PTPFAST_STRIPES)
#define PTPFAST_PRIME_32 UINT64_C(0x9E3779B1)
#define PTPFAST_EVEN_32 UINT64_C(0x85EBCA76)
#define PTPFAST_PRIME_A UINT64_C(0x9E3779B185EBCA87)
#define PTPFAST_PRIME_B UINT64_C(0xC2B2AE3D27D4EB4F)

typedef struct {
    uint64_t sums[8];
    uint64_t sums_of_sums[8];     /* of the block that has not ended */
    uint64_t blocks[8];           /* of those before it, scrambled */
    uint64_t size;                /* bytes so far */
    uint8_t rest[PTPFAST_STRIPE]; /* the last size % 64 of them: not added yet */
} ptpfast_checksum;

/* The first outputs of SplitMix64 with seed 0 (https://prng.di.unimi.it/splitmix64.c): the sums
 * begin with them, so that zeros count, and they are in each scrambling. */
static const uint64_t ptpfast_secret[16] = {
    UINT64_C(0xE220A8397B1DCDAF), UINT64_C(0x6E789E6AA1B965F4), UINT64_C(0x06C45D188009454F),
    UINT64_C(0xF88BB8A8724C81EC), UINT64_C(0x1B39896A51A8749B), UINT64_C(0x53CB9F0C747EA2EA),
    UINT64_C(0x2C829ABE1F4532E1), UINT64_C(0xC584133AC916AB3C), UINT64_C(0x3EE5789041C98AC3),
    UINT64_C(0xF3B8488C368CB0A6), UINT64_C(0x657EECDD3CB13D09), UINT64_C(0xC2D326E0055BDEF6),
    UINT64_C(0x8621A03FE0BBDB7B), UINT64_C(0x8E1F7555983AA92F), UINT64_C(0xB54E0F1600CC4D19),
    UINT64_C(0x84BB3F97971D80AB),
};

static inline uint64_t ptpfast_word(const uint8_t *bytes) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

static inline void ptpfast_checksum_init(ptpfast_checksum *sum) {
    memset(sum, 0, sizeof *sum);
    memcpy(sum->sums, ptpfast_secret, sizeof sum->sums);
}

/* Words by three bytes to the left, and what falls out there into them from the right. */
#define ptpfast_turned(words) ((words) << 24 | (words) >> 40)

static inline void ptpfast_end_block(ptpfast_checksum *sum) {
    for (int i = 0; i < 8; i++) {
        uint64_t lane = sum->blocks[i] + sum->sums_of_sums[i] + sum->sums[i] * PTPFAST_EVEN_32;
        sum->blocks[i] = (lane ^ lane >> 47 ^ ptpfast_secret[8 + i]) * PTPFAST_PRIME_32;
        sum->sums_of_sums[i] = 0;
    }
}

/* `count` stripes, of one block. */
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Words side by side, for whatever vector unit there is; they need no alignment. */
typedef uint64_t ptpfast_two __attribute__((vector_size(16), aligned(1), may_alias));

static inline void ptpfast_stripes(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
    ptpfast_two *to = (ptpfast_two *)sum->sums, *over = (ptpfast_two *)sum->sums_of_sums;
    /* As variables they stay in registers. */
    ptpfast_two a = to[0], b = to[1], c = to[2], d = to[3];
    ptpfast_two e = over[0], f = over[1], g = over[2], h = over[3];
    for (; count; count--, bytes += PTPFAST_STRIPE) {
        const ptpfast_two *words = (const ptpfast_two *)bytes;
        e = ptpfast_turned(e) + (a += words[0]);
        f = ptpfast_turned(f) + (b += words[1]);
        g = ptpfast_turned(g) + (c += words[2]);
        h = ptpfast_turned(h) + (d += words[3]);
    }
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
    over[0] = e, over[1] = f, over[2] = g, over[3] = h;
}
#else
static inline void ptpfast_stripes(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
    for (; count; count--, bytes += PTPFAST_STRIPE)
        for (int i = 0; i < 8; i++)
            sum->sums_of_sums[i] = ptpfast_turned(sum->sums_of_sums[i])
                                   + (sum->sums[i] += ptpfast_word(bytes + 8 * i));
}
#endif

/* Whole blocks, while none has begun. */
static inline void
ptpfast_blocks_plain(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
    for (; count; count--, bytes += PTPFAST_BLOCK) {
        ptpfast_stripes(sum, bytes, PTPFAST_STRIPES);
        ptpfast_end_block(sum);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
typedef uint64_t ptpfast_four __attribute__((vector_size(32), aligned(1), may_alias));

/* As two products of 32 bits: the factors have no more, which GCC does not make use of. */
__attribute__((target("avx2"))) static inline ptpfast_four
ptpfast_times(ptpfast_four lanes, uint64_t factor) {
    const __m256i words = (__m256i)lanes, by = _mm256_set1_epi64x((long long)factor);
    const __m256i upper = _mm256_mul_epu32(_mm256_srli_epi64(words, 32), by);
    return (ptpfast_four)_mm256_mul_epu32(words, by) + (ptpfast_four)_mm256_slli_epi64(upper, 32);
}

/* The same at more than twice the speed, where the processor has it. */
__attribute__((target("avx2"))) static void
ptpfast_blocks_wide(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
    const ptpfast_four *secret = (const ptpfast_four *)(ptpfast_secret + 8);
    const __m256i three_bytes = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(5, 6, 7, 0, 1, 2, 3, 4, 13, 14, 15, 8, 9, 10, 11, 12));
    ptpfast_four *to = (ptpfast_four *)sum->sums, *over = (ptpfast_four *)sum->blocks;
    ptpfast_four a = to[0], b = to[1], g = over[0], h = over[1];
    for (; count; count--) {
        ptpfast_four c = {0}, d = {0};
        for (int i = 0; i < PTPFAST_STRIPES; i++, bytes += PTPFAST_STRIPE) {
            const ptpfast_four *words = (const ptpfast_four *)bytes;
            c = (ptpfast_four)_mm256_shuffle_epi8((__m256i)c, three_bytes) + (a += words[0]);
            d = (ptpfast_four)_mm256_shuffle_epi8((__m256i)d, three_bytes) + (b += words[1]);
        }
        g += c + ptpfast_times(a, PTPFAST_EVEN_32);
        h += d + ptpfast_times(b, PTPFAST_EVEN_32);
        g = ptpfast_times(g ^ g >> 47 ^ secret[0], PTPFAST_PRIME_32);
        h = ptpfast_times(h ^ h >> 47 ^ secret[1], PTPFAST_PRIME_32);
    }
    to[0] = a, to[1] = b, over[0] = g, over[1] = h;
}
#endif

static inline void ptpfast_blocks(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx2")) {
        ptpfast_blocks_wide(sum, bytes, count);
        return;
    }
#endif
    ptpfast_blocks_plain(sum, bytes, count);
}

/* Stripes that do not reach beyond the block that has begun. */
static inline void ptpfast_in_block(ptpfast_checksum *sum, const uint8_t *bytes, size_t count) {
    ptpfast_stripes(sum, bytes, count);
    sum->size += count * PTPFAST_STRIPE;
    if (count && sum->size % PTPFAST_BLOCK == 0)
        ptpfast_end_block(sum);
}

static inline void ptpfast_checksum_add(ptpfast_checksum *sum, const uint8_t *bytes, size_t size) {
    size_t filled = (size_t)(sum->size % PTPFAST_STRIPE), take, stripes;
    if (filled) {
        take = PTPFAST_STRIPE - filled < size ? PTPFAST_STRIPE - filled : size;
        memcpy(sum->rest + filled, bytes, take);
        if (filled + take < PTPFAST_STRIPE) {
            sum->size += take;
            return;
        }
        sum->size -= filled; /* the whole stripe is counted as one */
        ptpfast_in_block(sum, sum->rest, 1);
        bytes += take, size -= take;
    }
    stripes = (size_t)(sum->size % PTPFAST_BLOCK / PTPFAST_STRIPE);
    if (stripes) {
        take = PTPFAST_STRIPES - stripes;
        if (take > size / PTPFAST_STRIPE)
            take = size / PTPFAST_STRIPE;
        ptpfast_in_block(sum, bytes, take);
        bytes += take * PTPFAST_STRIPE, size -= take * PTPFAST_STRIPE;
    }
    if (size >= PTPFAST_BLOCK) {
        take = size / PTPFAST_BLOCK * PTPFAST_BLOCK;
        ptpfast_blocks(sum, bytes, take / PTPFAST_BLOCK);
        sum->size += take;
        bytes += take, size -= take;
    }
    stripes = size / PTPFAST_STRIPE;
    ptpfast_in_block(sum, bytes, stripes);
    bytes += stripes * PTPFAST_STRIPE, size -= stripes * PTPFAST_STRIPE;
    if (size)
        memcpy(sum->rest, bytes, size);
    sum->size += size;
}

/* The sums, one after the other, into one word. */
static inline uint64_t ptpfast_mixed(const uint64_t *lanes, uint64_t value, uint64_t prime) {
    for (int i = 0; i < 8; i++) {
        value = (value ^ lanes[i]) * prime;
        value ^= value >> 32;
    }
    return value;
}

static inline uint64_t ptpfast_half(const ptpfast_checksum *sum, uint64_t value, uint64_t prime) {
    value = ptpfast_mixed(sum->sums_of_sums, ptpfast_mixed(sum->sums, value, prime), prime);
    return ptpfast_mixed(sum->blocks, value, prime);
}

/* The value so far; more can be added afterwards. */
static inline void ptpfast_checksum_value(const ptpfast_checksum *sum, uint64_t value[2]) {
    ptpfast_checksum ended = *sum;
    size_t filled = (size_t)(sum->size % PTPFAST_STRIPE);
    memset(ended.rest + filled, 0, PTPFAST_STRIPE - filled); /* zeros count by the size */
    ptpfast_stripes(&ended, ended.rest, 1);
    value[0] = ptpfast_half(&ended, sum->size, PTPFAST_PRIME_A);
    value[1] = ptpfast_half(&ended, ~sum->size, PTPFAST_PRIME_B);
}

#endif
