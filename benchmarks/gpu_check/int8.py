"""Weights in int8: the deviation from the package in bfloat16, memory and speed."""

from functools import partial

from benchmarks.gpu_check import stt, tts
from benchmarks.gpu_check.check import Check
from benchmarks.gpu_check.models import STT_1B

STREAMS = (1, 64, 256)
TTS_STREAMS = 32


def run_stt(check: Check) -> None:
    check.part("logits", partial(stt.check_logits, check, STT_1B, "int8"))
    slots = 2 if check.small else STREAMS[-1]
    check.part(f"{slots} slots", partial(stt.measure_engine, check, STT_1B, slots, STREAMS, "int8"))


def run_tts(check: Check) -> None:
    check.part("logits", partial(tts.check_logits, check, "int8"))
    slots = 1 if check.small else TTS_STREAMS
    check.part(f"{slots} streams", partial(tts.measure_engine, check, tts.COMPARED_CODEBOOKS, slots, "int8"))
