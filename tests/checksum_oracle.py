"""The checksum of checksum.h a second time, for the tests: one word after the other in plain
Python, from the description at its head, sharing no line with the C."""

MASK = (1 << 64) - 1
PRIME_32, PRIME_A, PRIME_B = 0x9E3779B1, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
EVEN_32 = 0x85EBCA76


def split_mix(count):
    """The first outputs of SplitMix64 with seed 0."""
    state, words = 0, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        word = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        words.append(word ^ word >> 31)
    return words


SECRET = split_mix(16)


def half(words, value, prime):
    """One half of the result."""
    for word in words:
        value = ((value ^ word) * prime) & MASK
        value ^= value >> 32
    return value


def checksum(content):
    """32 hex digits."""
    size = len(content)
    padded = content + bytes(64 - size % 64)  # a last stripe, of zeros where nothing is left
    sums, sums_of_sums, blocks = SECRET[:8], [0] * 8, [0] * 8
    for number, at in enumerate(range(0, len(padded), 64)):
        if number and number % 8 == 0:
            for i, secret in enumerate(SECRET[8:]):
                lane = (blocks[i] + sums_of_sums[i] + EVEN_32 * sums[i]) & MASK
                blocks[i] = ((lane ^ lane >> 47 ^ secret) * PRIME_32) & MASK
            sums_of_sums = [0] * 8
        for i in range(8):
            word = int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
            sums[i] = (sums[i] + word) & MASK
            turned = (sums_of_sums[i] << 24 | sums_of_sums[i] >> 40) & MASK
            sums_of_sums[i] = (turned + sums[i]) & MASK
    words = sums + sums_of_sums + blocks
    return f"{half(words, size, PRIME_A):016x}{half(words, ~size & MASK, PRIME_B):016x}"
