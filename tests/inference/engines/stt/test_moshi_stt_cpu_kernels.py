"""The CPU kernels give the same results as the package's, or nearly the same."""

import pytest
import torch
from moshi.modules.transformer import RingKVCache
from moshi.quantization.core_vq import EuclideanCodebook

from inference.engines.stt.moshi_stt.cpu_kernels import Nearest, PrefixRing

pytestmark = pytest.mark.models

ROWS, HEADS, CAPACITY, DIM = 3, 2, 6, 4


def test_the_prefix_ring_matches_the_ring_of_the_package():
    """Rows start, pause and wrap around: the filled part has the same keys, values and positions."""
    torch.manual_seed(0)
    whole = RingKVCache(ROWS, HEADS, DIM, CAPACITY, device=torch.device("cpu"), dtype=torch.float32)
    prefix = PrefixRing.like(whole)
    for step in range(20):
        k, v = torch.randn(2, ROWS, HEADS, 2, DIM)
        mask = torch.tensor([True, step % 2 == 0, step > 15])
        theirs, ours = whole.complete(k, v, mask), prefix.complete(k, v, mask)
        filled = ours.positions.shape[1]
        assert filled == min(CAPACITY, 2 * (step + 1))
        assert torch.equal(ours.positions, theirs.positions[:, :filled])
        assert (theirs.positions[:, filled:] == -1).all()
        assert torch.equal(ours.keys, theirs.keys[:, :, :filled])
        assert torch.equal(ours.values, theirs.values[:, :, :filled])


def test_the_codebook_search_matches_the_package():
    torch.manual_seed(0)
    codebook = EuclideanCodebook(dim=16, codebook_size=64)
    codebook.embedding_sum.normal_()
    codebook.cluster_usage.uniform_(0.5, 2)
    x = torch.randn(1000, 16)
    assert torch.equal(Nearest(codebook)(x), codebook._quantize(x))
