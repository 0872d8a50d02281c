import random

import pytest

from benchmarks import chaos

pytestmark = pytest.mark.slow


def test_no_fault_loses_or_duplicates_a_word(monkeypatch, redis_server):
    """Every kind of fault occurs once, while streams start and end. `redis_server`: skips the test without Redis."""
    monkeypatch.setattr(chaos, "FAULT_INTERVAL", 1.5)
    monkeypatch.setattr(chaos, "HANG_DURATION", 3.0)
    monkeypatch.setattr(chaos, "DATABASE_OUTAGE", 4.0)
    random.seed(0)
    table, verdict = chaos.checksums(streams=5, faults=11, seconds=(10, 20))
    print(table)
    assert verdict.words > 500
    assert verdict.is_good, verdict
