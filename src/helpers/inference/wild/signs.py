"""The weights of the clusters in the draws of a wild bootstrap: every vector of signs, or drawn at random."""

from collections.abc import Callable, Iterator

import numpy as np

from helpers.regression.effects import Floats

DISTRIBUTIONS = ("rademacher", "webb", "mammen", "normal")
# Numbers held at once in a block of draws.
CHUNK = 1_000_000
_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
# The eight signs that a byte holds, by its value.
_SIGNS_OF_BYTE = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
# All sign vectors are enumerated up to this many clusters, or when there are no more of them than draws.
ENUMERATED_CLUSTERS = 12


def enumerate_signs(n_clusters: int) -> Iterator[Floats]:
    """All 2^G vectors of signs, in blocks."""
    size = max(1, CHUNK // n_clusters)
    for start in range(0, 2**n_clusters, size):
        numbers = np.arange(start, min(start + size, 2**n_clusters), dtype=np.int64)
        yield np.asarray(1.0 - 2.0 * ((numbers[:, None] >> np.arange(n_clusters)) & 1), dtype=np.float64)


def draw_weights(weights: str, draws: int, n_clusters: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Independent weights of the clusters, in blocks of (B, G)."""
    draw = _distributions(rng)[weights]
    size = max(1, CHUNK // n_clusters)
    for start in range(0, draws, size):
        yield draw(min(size, draws - start), n_clusters)


def _distributions(rng: np.random.Generator) -> dict[str, Callable[[int, int], Floats]]:
    """How each kind of weight is drawn; all have mean 0 and variance 1."""
    root = np.sqrt(5.0)

    def signs(size: int, groups: int) -> Floats:
        # One random bit a sign.
        bits = np.frombuffer(rng.bytes(size * -(-groups // 8)), dtype=np.uint8)
        return np.asarray(_SIGNS_OF_BYTE[bits].reshape(size, -1)[:, :groups])

    return {
        "rademacher": signs,
        "webb": lambda size, groups: _WEBB[rng.integers(0, 6, (size, groups))],
        "mammen": lambda size, groups: np.where(
            rng.random((size, groups)) < (root + 1) / (2 * root), (1 - root) / 2, (1 + root) / 2
        ),
        "normal": lambda size, groups: rng.standard_normal((size, groups)),
    }
