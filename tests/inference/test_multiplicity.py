"""Step-down p-values beside R's multtest.

The reference numbers are those of R 4.2.2 with multtest 2.54.0, mt.maxT(figures, group, side = "abs", B = 0), which
goes through all 70 divisions of eight columns into two groups of four: shares of 70, so exact but for rounding. What is
drawn here are the 69 other divisions, since the sample itself is counted once.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from helpers.inference.multiplicity import romano_wolf
from outside import outside

# Five rows in units from 0.1 to 1e6, two of them with ties; the last four columns are the second group.
FIGURES = np.array(
    [
        [2.1, 3.4, 1.9, 4.0, 6.2, 5.1, 7.3, 5.5],
        [10, 12, 11, 15, 13, 14, 19, 12],
        [0.2, 0.1, 0.4, 0.3, 0.3, 0.2, 0.5, 0.9],
        [5, 5, 6, 7, 7, 8, 6, 9],
        [1e6, 3e6, 2e6, 2e6, 9e6, 8e6, 7e6, 9e6],
    ]
)


@pytest.mark.parametrize(("equal", "test"), [(False, "t"), (True, "t.equalvar")])
def test_all_divisions_give_the_adjusted_p_values_of_multtest(equal: bool, test: str) -> None:
    def statistics(second: tuple[int, ...]) -> np.ndarray:
        one, other = FIGURES[:, list(second)], np.delete(FIGURES, list(second), axis=1)
        return np.asarray(stats.ttest_ind(one, other, axis=1, equal_var=equal).statistic)

    sample = (4, 5, 6, 7)
    draws = np.array([statistics(second) for second in combinations(range(8), 4) if second != sample])
    numbers = np.array([2, 30, 30, 18, 2]) / 70
    source = f"R multtest: mt.maxT(test = '{test}'), all divisions"
    outside(romano_wolf, source, romano_wolf(statistics(sample), draws), numbers, rtol=1e-12)
