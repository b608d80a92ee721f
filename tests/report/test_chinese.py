"""The Chinese of catalogues, methods and studies as a journal prints it: signs, blanks, one word for one thing."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml

from helpers.report.console import read_messages
from helpers.report.language import read_catalogue
from helpers.report.messages import catalogue_path
from helpers.study.needs import Need, list_left_out

ROOT = Path(__file__).resolve().parents[2]
HAN = "\u4e00-\u9fff"
FULL = "，。；：、（）“”！？《》—…"
# What is left as its author writes it: code, formulas, and the words of a text under test.
QUOTED = re.compile(r"`[^`]*`|\$[^$]*\$")
# One word for one thing: what a sentence may not say -> what it says.
VARIANTS = {
    "(?<!聚类)野自助法": "野聚类自助法",
    "聚类(标准误|t检验)": "聚类稳健标准误、聚类稳健t检验",
    "交乘项|乘积项": "交互项",
    "结果变量|处理变量": "被解释变量、核心解释变量",
    "单位(固定)?效应|(时期|时间|年份|省份|国家)效应": "个体固定效应、时间固定效应、年份固定效应",
    "阈值|门限": "门槛",
    "无量纲化": "标准化",
    "自举|拔靴": "自助法",
    "置信度区间|9[05]%区间": "置信区间",
    "命题": "论断",
    "逐步回归": "设定阶梯：逐步回归是另一种方法",
    "队列": "批次",
    "稳健值": "稳健性值",
    "(?<!（)Moran's I": "莫兰指数",
    r"单元(?!格)|本笔记本|笔记本\d": "单位、章",
    "[A-Za-z]—[A-Z][a-z]": "两位作者之间用连字符",
}


def written(part: Any) -> Iterator[str]:
    """Every Chinese text of a file: what stands under ``zh``, apart from the titles and quotations of the texts."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "zh" and isinstance(inner, str):
                yield inner
            elif name not in {"title", "section", "reference", "sources", "text"}:
                yield from written(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from written(inner)


@cache
def texts() -> list[str]:
    files = [ROOT / "src/helpers/report/methods.yml"]
    files += [path for name in ("study.yml", "claims.yml") for path in sorted((ROOT / "data").glob(f"*/{name}"))]
    found = [
        *read_catalogue().values(),
        *(
            text
            for path in files
            for text in written(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        ),
    ]
    return [QUOTED.sub("`", text) for text in found if re.search(f"[{HAN}]", text)]


def test_there_are_texts_of_every_kind():
    assert len(texts()) > len(read_catalogue())


def test_no_blank_stands_beside_a_chinese_sign_and_no_narrow_sign_ends_its_clause():
    """A heading's number alone is followed by a blank."""
    blank = re.compile(f"(?<=[{HAN}{FULL}])\\s+(?=[{HAN}{FULL}A-Za-z0-9{{`−])|(?<=[A-Za-z0-9}}`%]) +(?=[{HAN}{FULL}])")
    narrow = re.compile(f"[{HAN}][,;:!?](?!//)|[,;:!?][{HAN}]|[{HAN}][.](?![A-Za-z0-9{{])|[{HAN}] ?\\([{HAN}]")
    wrong = [text for text in texts() if blank.search(re.sub(r"^#+ \d+ ", "", text)) or narrow.search(text)]
    assert wrong == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_thing_has_one_word(variant):
    said = [*texts(), *read_messages(catalogue_path("cli")).values()]
    assert [text for text in said if re.search(variant, text)] == []


@pytest.mark.parametrize("memory", [True, False])
def test_what_a_study_of_one_s_own_lacks_is_said_in_chinese(memory):
    """The committed studies lack little, so that a run of theirs meets few of these words."""
    bare: Any = SimpleNamespace(**dict.fromkeys(get_args(Need), ()) | {"memory": memory, "engine": "memory"})
    reasons = {part for reason in list_left_out(bare, ROOT / "notebooks").values() for part in reason.split("; ")}
    assert reasons
    assert not [reason for reason in sorted(reasons) if not read_catalogue().get(reason)]
