"""Frames of MP3 files, which have no other sign of their truncation."""

# Values of the header fields of an MPEG audio frame, layer III (ISO 11172-3 and 13818-3).
KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES = (44_100, 48_000, 32_000)
HALVED = {3: 0, 2: 1, 0: 2}


def is_truncated(frame: bytes) -> bool:
    """Whether a frame is shorter than its header declares: decoders play the last one of a file all the same."""
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    bit_rate, rate = frame[2] >> 4, frame[2] >> 2 & 3
    if layer != 1 or version == 1 or bit_rate in (0, 15) or rate == 3:
        return False  # not layer III, or no declared size
    bits = (KBITS if version == 3 else KBITS_LOW)[bit_rate] * 1000 * (144 if version == 3 else 72)
    return len(frame) < bits // (RATES[rate] >> HALVED[version]) + (frame[2] >> 1 & 1)
