"""The checksum of checksum.h a second time, for the tests: one word after the other in plain
Python, from the description of XXH3's accumulation, sharing no line with the C."""

MASK = (1 << 64) - 1
PRIME_32, PRIME_A, PRIME_B = 0x9E3779B1, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F


def split_mix(count):
    """The first outputs of SplitMix64 with seed 0."""
    state, words = 0, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        word = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        words.append(word ^ word >> 31)
    return words


SECRET = split_mix(24)


def accumulate(lanes, stripe, secret):
    """One stripe of 64 bytes."""
    for i in range(8):
        data = int.from_bytes(stripe[8 * i : 8 * i + 8], "little")
        key = data ^ secret[i]
        lanes[i ^ 1] = (lanes[i ^ 1] + data) & MASK
        lanes[i] = (lanes[i] + (key & 0xFFFFFFFF) * (key >> 32)) & MASK


def half(lanes, secret, value):
    """One half of the result."""
    for i in range(0, 8, 2):
        product = (lanes[i] ^ secret[i]) * (lanes[i + 1] ^ secret[i + 1])
        value = (value + (product >> 64 ^ product & MASK)) & MASK
    value = ((value ^ value >> 37) * PRIME_A) & MASK
    return value ^ value >> 32


def checksum(content):
    """32 hex digits."""
    lanes = SECRET[:8]
    stripes = len(content) // 64
    for number in range(stripes):
        at = number % 16
        accumulate(lanes, content[64 * number : 64 * number + 64], SECRET[at : at + 8])
        if at == 15:
            lanes = [
                ((lane ^ lane >> 47 ^ word) * PRIME_32) & MASK
                for lane, word in zip(lanes, SECRET[16:], strict=True)
            ]
    accumulate(lanes, content[64 * stripes :].ljust(64, b"\0"), SECRET[16:])
    size = len(content)
    first = half(lanes, SECRET[:8], (size * PRIME_A) & MASK)
    second = half(lanes, SECRET[11:19], ((~size & MASK) * PRIME_B) & MASK)
    return f"{first:016x}{second:016x}"
