"""Chooses a model's device, precision and number of slots, from nothing but its sizes."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inference.engine import EngineUnusable
from inference.loading.presets import Preset

if TYPE_CHECKING:
    import torch

Kind = Literal["cuda", "mps", "cpu"]

MIMI_MB = 385
"""The codec's weights in float32."""
VRAM_RESERVED_MB = 2048
"""Memory left for activations, CUDA graphs and other programs; MOSHI_VRAM_RESERVED_MB overrides it."""
CPU_RESERVED_MB = 1024
CORES_PER_SLOT = 2
"""CPU cores per stream of the smallest model (`benchmarks/stt_engine.py`), for an engine that doesn't measure steps."""
MAX_SLOTS_PER_CORE = 2
"""On a CPU, the most slots to measure: the codec alone takes 20 ms of a core for each frame."""
MAX_SLOTS = 4096
NVIDIA_SMI_TIMEOUT = 30.0
"""Seconds; it loads the driver if no other process has."""
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1.02}
"""Of a parameter; int8 weights also have scales for each output."""
MIN_CAPABILITY_INT8 = (7, 5)
"""CUDA compute capability of the first GPUs that multiply int8 matrices (Turing)."""


class DoesNotFit(EngineUnusable):
    """The device is missing or too small; the message explains what to do."""


@dataclass(frozen=True)
class Device:
    kind: Kind
    name: str  # for messages
    index: int = 0
    capability: tuple[int, int] | None = None  # CUDA compute capability
    free_mb: float = 0.0
    cores: int = 1

    @property
    def torch_name(self) -> str:
        return f"cuda:{self.index}" if self.kind == "cuda" else self.kind


@dataclass(frozen=True)
class Plan:
    """Precision, slots and memory of a preset on a device."""

    device: Device
    dtype: str  # of weights and activations; with int8 weights everything else is bfloat16, on a CPU float32
    slots: int
    weights_mb: float
    slot_mb: float
    memory_slots: int = 0
    """What the memory would allow."""
    is_automatic: bool = False
    """No number of slots was requested; `slots` is an estimate."""
    loads_on_cpu: bool = False
    """The device has no room for the weights before they are quantized."""

    @property
    def slots_to_measure(self) -> int:
        """The most slots for which an engine measures its step; only the requested ones if a number was."""
        if not self.is_automatic:
            return self.slots
        if self.device.kind != "cpu":
            return self.memory_slots
        return min(self.memory_slots, MAX_SLOTS_PER_CORE * self.device.cores)

    @property
    def load_device(self) -> str:
        """The device on which the language model is loaded; `quantize` moves it."""
        return "cpu" if self.loads_on_cpu else self.device.torch_name

    @property
    def torch_dtype(self) -> "torch.dtype":
        """The dtype in which the weights are loaded; int8 weights are quantized from bfloat16."""
        import torch

        dtype: torch.dtype = torch.bfloat16 if self.dtype == "int8" else getattr(torch, self.dtype)
        return dtype

    def __str__(self) -> str:
        return (
            f"{self.device.name}, {self.dtype}: {self.weights_mb:,.0f} MB of weights, {self.slots} slots of "
            f"{self.slot_mb:,.0f} MB, {self.device.free_mb:,.0f} MB free before"
        )


def has_cuda() -> bool:
    """Whether a model would run on a GPU here; imports torch only if NVIDIA's driver is installed."""
    if not (shutil.which("nvidia-smi") or Path("/dev/nvidiactl").exists()) or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def visible_gpus(environment: Mapping[str, str] | None = None) -> list[str]:
    """NVIDIA's GPUs that this process may use, by their names for CUDA_VISIBLE_DEVICES; without importing torch."""
    environment = os.environ if environment is None else environment
    if (visible := environment.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    if not (nvidia_smi := shutil.which("nvidia-smi")):
        return []
    command = [nvidia_smi, "-L"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=NVIDIA_SMI_TIMEOUT).stdout  # noqa: S603
    return [str(number) for number, _ in enumerate(re.findall(r"^GPU \d+:", listed, re.MULTILINE))]


@dataclass(frozen=True)
class GraphicsCard:
    name: str
    free_bytes: int
    utilization: int  # percent


def graphics_cards() -> list[GraphicsCard]:
    """NVIDIA's GPUs; empty without its driver or the package pynvml."""
    if find_spec("pynvml") is None or not Path("/dev/nvidiactl").exists():
        return []
    import pynvml

    pynvml.nvmlInit()
    cards = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return [
        GraphicsCard(
            f"{index} {pynvml.nvmlDeviceGetName(card)}",
            pynvml.nvmlDeviceGetMemoryInfo(card).free,
            pynvml.nvmlDeviceGetUtilizationRates(card).gpu,
        )
        for index, card in enumerate(cards)
    ]


def find_device(name: str = "auto") -> Device:
    """The named device, or the best available one. Raises `DoesNotFit` if it does not exist."""
    import torch

    kind, _, index = name.partition(":")
    if kind not in ("auto", "cuda", "mps", "cpu") or (index and not index.isdecimal()):
        raise DoesNotFit(f"Unknown device “{name}”. Set MOSHI_DEVICE to auto, cuda, cuda:1, mps or cpu.")
    if kind in ("auto", "cuda") and torch.cuda.is_available():
        if (number := int(index or 0)) < torch.cuda.device_count():
            return _cuda(number)
        raise DoesNotFit(f"No GPU “{name}”: {torch.cuda.device_count()} found, numbered from 0.")
    if kind == "cuda":
        raise DoesNotFit("MOSHI_DEVICE requests a CUDA GPU, but PyTorch finds none. Check nvidia-smi.")
    if kind in ("auto", "mps") and torch.backends.mps.is_available():
        return Device("mps", "Apple GPU", free_mb=_free_memory_mb(), cores=_cores())
    if kind == "mps":
        raise DoesNotFit("MOSHI_DEVICE requests an Apple GPU, but PyTorch finds none.")
    return Device("cpu", f"CPU with {_cores()} cores", free_mb=_free_memory_mb(), cores=_cores())


def plan(preset: Preset, device: Device, slots: int = 0, environment: Mapping[str, str] | None = None) -> Plan:
    """Plan the preset's run on the device with `slots` slots, or as many as it carries for 0.

    Raises `DoesNotFit`, before anything is loaded. The preset gives the size of a slot for bfloat16; float32 doubles
    it. With int8 weights on a CPU, slots and the layers that are not quantized are float32.
    """
    environment = os.environ if environment is None else environment
    dtype = preset.dtype if preset.dtype != "auto" else dtype_for(device)
    on_cpu = device.kind == "cpu"
    if dtype == "int8" and not _multiplies_int8(device):
        raise DoesNotFit(
            f"{preset.label} is set to int8 weights, but {device.name} can't multiply them: they need a CPU, or a CUDA "
            "GPU from compute capability 7.5. Set the dtype to auto (MOSHI_DTYPE, or in the preset)."
        )
    billions = _number(environment, "MOSHI_MODEL_PARAMS_BILLIONS", preset.params_billions)
    activation = "float32" if dtype == "int8" and on_cpu else "bfloat16" if dtype == "int8" else dtype
    kept = min(preset.unquantized_billions, billions) if dtype == "int8" else 0.0
    weights_mb = 1000 * ((billions - kept) * BYTES[dtype] + kept * BYTES[activation]) + MIMI_MB
    slot_mb = preset.slot_mb * BYTES[activation] / BYTES["bfloat16"]
    slot_mb = _number(environment, "MOSHI_PER_BATCH_ITEM_MB", slot_mb)
    reserve = CPU_RESERVED_MB if on_cpu else _number(environment, "MOSHI_VRAM_RESERVED_MB", VRAM_RESERVED_MB)
    memory_mb = min(device.free_mb - reserve, preset.memory_mb or device.free_mb)
    capacity = min(int((memory_mb - weights_mb) / max(slot_mb, 1)), MAX_SLOTS)
    automatic = min(capacity, max(1, device.cores // CORES_PER_SLOT)) if on_cpu else capacity
    requested = slots or preset.slots
    if capacity < max(requested, 1):
        with_slots = f" with {requested} slots" if requested else ""
        budget = f", of which it may use {preset.memory_mb:,.0f}" if preset.memory_mb else ""
        raise DoesNotFit(
            f"{preset.label} doesn't fit{with_slots}: it needs {weights_mb:,.0f} MB for weights, {slot_mb:,.0f} MB per "
            f"stream and {reserve:,.0f} MB reserved, but {device.name} has {device.free_mb:,.0f} MB free{budget}. "
            "Free memory, use a smaller preset or fewer slots, or lower MOSHI_VRAM_RESERVED_MB."
        )
    loads_on_cpu = dtype == "int8" and 1000 * billions * BYTES["bfloat16"] + MIMI_MB > memory_mb
    return Plan(device, dtype, requested or automatic, weights_mb, slot_mb, capacity, not requested, loads_on_cpu)


def _multiplies_int8(device: Device) -> bool:
    return device.kind == "cpu" or bool(device.capability and device.capability >= MIN_CAPABILITY_INT8)


def dtype_for(device: Device) -> str:
    """The best dtype that the hardware computes: bfloat16 from capability 8.0, float16 from 7.5 and on Apple GPUs, else
    float32. On the CPU int8 weights, which need half the memory bandwidth."""
    if device.kind == "cpu":
        return "int8"
    if device.capability and device.capability < (7, 5):
        return "float32"
    return "bfloat16" if device.capability and device.capability >= (8, 0) else "float16"


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    value = environment.get(name)
    try:
        number = float(value) if value else default
    except ValueError:
        number = -1
    if number < 0:
        raise DoesNotFit(f"{name} is “{value}”; it must be 0 or more.")
    return number


def _cuda(index: int) -> Device:
    import torch

    torch.cuda.empty_cache()  # release memory that torch still caches for a previous engine
    free, _ = torch.cuda.mem_get_info(index)
    capability = torch.cuda.get_device_capability(index)
    return Device("cuda", torch.cuda.get_device_name(index), index, capability, free / 1e6, _cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_memory_mb() -> float:
    """Available memory; half of the installed memory if the system does not report it."""
    if (meminfo := Path("/proc/meminfo")).exists():
        values = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return int(values["MemAvailable"].split()[0]) * 1024 / 1e6
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 / 1e6
