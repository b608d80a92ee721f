"""How strong an omitted variable would have to be: the door to Oster's delta and the robustness value."""

from helpers.identification.confounding import (
    RobustnessValue,
    adjust_for_confounder,
    confounder_bounds,
    confounder_contour,
    robustness_value,
)
from helpers.identification.oster import OsterResult, oster_delta

__all__ = [
    "OsterResult",
    "RobustnessValue",
    "adjust_for_confounder",
    "confounder_bounds",
    "confounder_contour",
    "oster_delta",
    "robustness_value",
]
