"""The disk space that uploads and recordings leave for the database."""

import shutil
from types import SimpleNamespace

import pytest

from speech import disk_space
from speech.disk_space import MB


@pytest.mark.parametrize(
    ("total", "configured", "reserve"),
    [(10_000, 0, 1_000), (100_000, 0, 5_000), (4_000_000, 0, 10_000), (100_000, 300, 300)],  # MB
)
def test_the_reserve_is_a_share_of_the_disk_within_bounds(monkeypatch, settings, tmp_path, total, configured, reserve):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=total * MB, free=6_000 * MB))
    settings.DISK_RESERVE_MB = configured
    assert disk_space.reserve(tmp_path) == reserve * MB
    assert disk_space.available(tmp_path) == (6_000 - reserve) * MB


def test_a_folder_that_does_not_exist_yet_has_the_space_of_its_parent(tmp_path):
    assert abs(disk_space.free(tmp_path / "a" / "b") - disk_space.free(tmp_path)) < 100 * MB
