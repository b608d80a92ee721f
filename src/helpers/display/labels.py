"""Which words in the heads and cells of a table are names of the study, with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from helpers.study.study import Study


def label_words(frame: pd.DataFrame, study: Study) -> dict[str, str]:
    """The study's labels of the words in a table's heads and cells.

    A variable may be called as anything is, "power" or "software": the heads, and each column of texts, are read
    as names of the study only where more than half of them are. A grouping is no variable of the same name.
    """
    index = [
        (str(level.name), level) for level in (frame.index.get_level_values(i) for i in range(frame.index.nlevels))
    ]
    texts = [(str(name), part) for name, part in frame.items() if part.dtype.kind not in "iufb"]
    columns = [part for name, part in (*index, *texts) if name != "grouping"]
    labels = {part.name: part.label.en for part in (study.entity, study.time)}
    found = {name: labels[name] for name in frame.index.names if name in labels}
    for words in (frame.columns, *columns):
        known = {word for word in words if isinstance(word, str) and word}
        named = {word: labels.get(word) or study.label(word) for word in known}
        named = {word: label for word, label in named.items() if label != word}
        found |= named if 2 * len(named) > len(known) else {}
    return found
