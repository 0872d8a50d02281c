import msgspec
import pytest

from inference.loading import presets
from inference.loading.device import Device, DoesNotFit, Plan, dtype_for, plan

PRESETS = presets.load({})
STT_1B, STT_2_6B = PRESETS["stt-1b-en_fr"], PRESETS["stt-2.6b-en"]
H200 = Device("cuda", "H200", capability=(9, 0), free_mb=149_000)
LAPTOP = Device("cpu", "CPU", free_mb=6_000, cores=2)


@pytest.mark.parametrize(
    ("device", "dtype"),
    [
        (Device("cuda", "H100", capability=(9, 0)), "bfloat16"),
        (Device("cuda", "A100", capability=(8, 0)), "bfloat16"),
        (Device("cuda", "T4", capability=(7, 5)), "float16"),
        (Device("cuda", "V100", capability=(7, 0)), "float32"),
        (Device("mps", "M3"), "float16"),
        (Device("cpu", "CPU"), "int8"),
    ],
)
def test_the_dtype_is_one_that_the_hardware_computes(device, dtype):
    assert dtype_for(device) == dtype


@pytest.mark.parametrize(
    ("preset", "device", "slots"),
    [
        (STT_1B, H200, 1351),
        (STT_2_6B, H200, 905),
        (STT_1B, Device("cuda", "L4", capability=(8, 9), free_mb=23_000), 173),
        (STT_1B, Device("cuda", "T4", capability=(7, 5), free_mb=15_000), 98),
        (STT_1B, Device("cuda", "V100", capability=(7, 0), free_mb=16_000), 44),
        (STT_1B, Device("mps", "M3", free_mb=9_000), 42),
        (STT_1B, LAPTOP, 1),
        (STT_1B, Device("cpu", "server", free_mb=60_000, cores=32), 16),
        (STT_1B, Device("cpu", "small server", free_mb=3_500, cores=32), 2),
    ],
)
def test_slots_fill_the_memory_beside_weights_and_reserve(preset, device, slots):
    assert plan(preset, device, environment={}).slots == slots


def test_a_requested_number_of_slots_is_kept():
    assert plan(STT_1B, LAPTOP, slots=3, environment={}).slots == 3


@pytest.mark.parametrize(
    ("device", "slots", "to_measure"),
    [
        (H200, 0, 1351),  # all that fit
        (H200, 40, 40),
        (Device("cpu", "server", free_mb=60_000, cores=8), 0, 16),  # two per core
        (Device("cpu", "server", free_mb=60_000, cores=8), 3, 3),
        (Device("cpu", "small server", free_mb=5_000, cores=32), 0, 9),  # all that fit
    ],
)
def test_as_many_slots_are_measured_as_fit_unless_a_number_is_requested(device, slots, to_measure):
    intended = plan(STT_1B, device, slots, environment={})
    assert intended.slots_to_measure == to_measure
    assert intended.is_automatic == (slots == 0)
    assert intended.memory_slots >= to_measure


def test_too_many_slots_are_rejected_before_anything_is_loaded():
    with pytest.raises(DoesNotFit, match=r"doesn't fit with 400 slots.*fewer slots"):
        plan(STT_1B, Device("cuda", "L4", capability=(8, 9), free_mb=23_000), slots=400, environment={})


def test_the_error_for_a_model_that_does_not_fit_has_the_figures():
    with pytest.raises(DoesNotFit, match=r"5,619 MB for weights, 156 MB per stream.* 2,048 MB reserved.* 4,000 MB"):
        plan(STT_2_6B, Device("cuda", "small", capability=(8, 6), free_mb=4_000), environment={})


def test_int8_weights_on_a_cpu_leave_embeddings_in_float32():
    assert plan(STT_1B, LAPTOP, environment={}).weights_mb == pytest.approx(1.02 * (989 - 151) + 4 * 151 + 385)
    assert plan(STT_1B, LAPTOP, environment={}).dtype == "int8"


def test_the_environment_overrides_reserve_slot_size_and_model_size():
    environment = {
        "MOSHI_VRAM_RESERVED_MB": "10000",
        "MOSHI_PER_BATCH_ITEM_MB": "500",
        "MOSHI_MODEL_PARAMS_BILLIONS": "2",
    }
    assert plan(STT_1B, H200, environment=environment).slots == int((149_000 - 10_000 - 4_385) / 500)


def test_a_model_uses_no_more_than_its_budget():
    budget = msgspec.structs.replace(STT_1B, memory_mb=20_000)
    assert plan(budget, H200, environment={}).slots == int((20_000 - 2_363) / 107)
    with pytest.raises(DoesNotFit, match="149,000 MB free, of which it may use 20,000"):
        plan(budget, H200, slots=200, environment={})


@pytest.mark.parametrize("value", ["much", "-1"])
def test_an_invalid_number_in_a_setting_is_reported(value):
    with pytest.raises(DoesNotFit, match=f"MOSHI_VRAM_RESERVED_MB is “{value}”; it must be 0 or more"):
        plan(STT_1B, H200, environment={"MOSHI_VRAM_RESERVED_MB": value})


def test_a_plan_reads_as_a_sentence():
    text = str(Plan(LAPTOP, "int8", 1, 1374, 214))
    assert text == "CPU, int8: 1,374 MB of weights, 1 slots of 214 MB, 6,000 MB free before"


def int8(preset=STT_1B):
    return msgspec.structs.replace(preset, dtype="int8")


@pytest.mark.parametrize("device", [Device("cuda", "V100", capability=(7, 0)), Device("mps", "M3")])
def test_int8_is_rejected_where_the_hardware_cannot_multiply_it(device):
    with pytest.raises(DoesNotFit, match=rf"set to int8 weights, but {device.name} can't multiply them"):
        plan(int8(), device, environment={})


def test_int8_weights_on_a_gpu_leave_embeddings_and_slots_in_bfloat16():
    planned = plan(int8(), H200, environment={})
    assert planned.weights_mb == pytest.approx(1.02 * (989 - 151) + 2 * 151 + 385)
    assert planned.slot_mb == STT_1B.slot_mb
    assert planned.slots > plan(STT_1B, H200, environment={}).slots


def test_a_gpu_without_room_for_bfloat16_weights_gets_them_quantized():
    small = Device("cuda", "RTX 3060", capability=(8, 6), free_mb=6_500)
    assert plan(int8(STT_2_6B), small, environment={}).load_device == "cpu"
    assert plan(int8(STT_2_6B), H200, environment={}).load_device == "cuda:0"
    with pytest.raises(DoesNotFit):
        plan(STT_2_6B, small, environment={})
