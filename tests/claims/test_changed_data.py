"""Changes planted in the figures move the verdicts that they must move; `benchmarks/changed_data.py` is the long form.

Outside: an oracle (`data_oracle`) that imports nothing of the project and goes from statistics to verdicts by dummies,
least squares and its own draws. Verdicts are words, so that no tolerance is needed; both sides make more draws where a
p-value lies near the level.
"""

import pandas as pd
import pytest

import changed_data
import data_oracle
import data_pipeline

SEED = 7


@pytest.fixture(scope="module")
def borders() -> pd.DataFrame:
    return pd.read_csv(data_pipeline.FOLDER / "contiguity.csv")[["province_en", "neighbour_en"]]


@pytest.fixture(scope="module")
def standing(borders: pd.DataFrame) -> dict[str, str]:
    return data_oracle.judge(data_pipeline.statistics(), data_pipeline.regions(), borders)


def test_the_oracle_and_the_project_agree_on_the_figures_as_they_are(standing: dict[str, str]):
    assert data_pipeline.judge(data_pipeline.statistics(), seed=3) == {
        name: standing[name] for name in data_pipeline.JUDGED
    }


@pytest.mark.slow("the way from figures to verdicts, five times, by the project and by an oracle")
def test_a_change_of_every_kind_moves_the_verdicts_that_it_must_and_no_other(
    standing: dict[str, str], borders: pd.DataFrame
):
    must, found, wrong = 0, 0, 0
    for change in changed_data.planted(data_pipeline.statistics(), 1, seed=SEED):
        asked = data_oracle.judge(change.figures, data_pipeline.regions(), borders, change.cluster)
        told = data_pipeline.judge(change.figures, change.cluster)
        moved = [name for name in data_pipeline.JUDGED if asked[name] != standing[name]]
        must += len(moved)
        found += sum(told[name] == asked[name] for name in moved)
        wrong += sum(told[name] != standing[name] for name in data_pipeline.JUDGED if name not in moved)
    assert must >= len(changed_data.KINDS)
    assert (found / must >= 0.95, wrong) == (True, 0)
