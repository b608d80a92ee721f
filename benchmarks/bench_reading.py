"""Speed and memory of reading and checking the raw folder of every study, and of one wide table in each format.

Run `python benchmarks/bench_reading.py`. Imports are timed apart: a command pays for them once. The peer of the wide
table is pandas, which reads the same cells without recognising, checking or mapping anything. Times are of the
processor, so that what else the machine does is left out.
"""

import io
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

START = time.process_time()

import pandas as pd  # noqa: E402 - what importing costs is measured

from helpers.cleaning.contract import check_contract, check_schema  # noqa: E402
from helpers.reading import statistics as reading  # noqa: E402
from helpers.reading.units import Spellings, read_units  # noqa: E402
from helpers.study.study import Entity, Label, Study, load_study  # noqa: E402

IMPORTED = time.process_time() - START
ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5


def main() -> None:
    print(f"imports {IMPORTED:.2f} s, {peak():.0f} MB")
    for path in sorted((ROOT / "data").glob("*/study.yml")):
        time_study(load_study(path.parent))
    time_formats(entities=2_000, times=20, measures=5)


def time_study(study: Study) -> None:
    """Read and check the raw folder of a study."""
    units, panel = read(study)
    size = sum(path.stat().st_size for path in (study.folder / "raw").rglob("*") if path.is_file())
    print(f"\n{study.name}: {panel.shape[1]} statistics, {panel.size:,} cells, {size / 1e6:.2f} MB of raw files")
    reading_time = best(lambda: read(study), 5)
    report("read", reading_time)
    start = time.process_time()
    check_schema(panel, study)
    report("first check of the schema", time.process_time() - start)
    checking_time = best(lambda: check_contract(panel, units, study), 5)
    report("check the contract", checking_time)
    total = reading_time + checking_time
    print(f"  {'read and check':<50} {total:8.3f} s   {'within' if total <= LIMIT else 'BEYOND'} {LIMIT} s")


def read(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    units = read_units(study.folder / study.entity.units, study.entity)
    return units, reading.read_raw(study.folder, study.columns, units, study.entity, study.time)


def time_formats(entities: int, times: int, measures: int) -> None:
    """One wide table in each format, beside pandas."""
    print(f"\none wide table of {entities * times:,} rows and {measures} measures, one measure read")
    names = [f"unit {number:05d}" for number in range(entities)]
    frame = pd.DataFrame(
        {"name": np.repeat(names, times), "year": np.tile(np.arange(2000, 2000 + times), entities)}
        | {f"m{number}": np.random.default_rng(number).random(entities * times) for number in range(measures)}
    )
    spellings = Spellings.of(
        pd.DataFrame(index=pd.Index(names, name="name")),
        Entity(name="unit", key="name", label=Label(en="Unit", zh="单位")),
    )
    for kind, (write, peer) in formats().items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table"
            path.write_bytes(write(frame))
            ours = best(lambda path=path: reading.read_statistic(path, spellings, column="m0"), 2)  # type: ignore[misc]
            bare = best(lambda path=path, peer=peer: peer(path), 2)  # type: ignore[misc]
            print(f"  {kind:<10} {ours:8.3f} s   pandas alone {bare:8.3f} s   {path.stat().st_size / 1e6:6.2f} MB")
    print(f"peak memory {peak():.0f} MB")


Format = tuple[Callable[[pd.DataFrame], bytes], Callable[[Path], pd.DataFrame]]


def formats() -> dict[str, Format]:
    return {
        "CSV": (lambda frame: frame.to_csv(index=False).encode(), pd.read_csv),
        "xlsx": (lambda frame: binary(frame, "to_excel", index=False, engine="openpyxl"), pd.read_excel),
        "Stata": (lambda frame: binary(frame, "to_stata", write_index=False), pd.read_stata),
        "Parquet": (lambda frame: binary(frame, "to_parquet", index=False), pd.read_parquet),
    }


def binary(frame: pd.DataFrame, method: str, **options: object) -> bytes:
    stream = io.BytesIO()
    getattr(frame, method)(stream, **options)
    return stream.getvalue()


def best(run: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def report(what: str, seconds: float) -> None:
    print(f"  {what:<50} {seconds:8.3f} s")


def peak() -> float:
    """Largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
