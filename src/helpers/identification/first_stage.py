"""How strong instruments are: first-stage F statistics and what they must exceed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.identification.instrument_setting import Setting, with_instruments, without_controls
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit

# Worst-case bias, as a share of the benchmark, for which critical values are given.
BIASES = (0.05, 0.10, 0.20, 0.30)
# Share of the treatment's variation below which what is left of it is rounding.
EXACT = 1e-18


@dataclass(frozen=True)
class FirstStage:
    """How much of the treatment the instruments move.

    Attributes
    ----------
    fit
        The treatment on instruments and controls.
    f_effective
        Effective F of Montiel Olea and Pflueger: pi'Z'Z pi / trace(V Z'Z), with Z the instruments after effects and
        controls, pi their coefficients and V the covariance of these. With one instrument it is the robust F.
    f_robust
        Wald statistic of the instruments / their number, with the covariance of the fit.
    f_plain
        The same with independent errors of one variance.
    critical_values
        Worst-case bias -> 5 % critical value of f_effective (their simplified procedure): below it, a bias of the 2SLS
        estimate above that share of the benchmark is not rejected.
    """

    fit: PanelFit
    f_effective: float
    f_robust: float
    f_plain: float
    critical_values: "pd.Series[float]"


def measure_first_stage(setting: Setting, fit: PanelFit) -> FirstStage:
    """Strength of the instruments; `fit` is the regression of the treatment on them."""
    _, treatment, instruments = without_controls(setting)
    k = instruments.shape[1]
    gram = instruments.T @ instruments
    slopes = np.linalg.solve(gram, instruments.T @ treatment)
    residuals = treatment - instruments @ slopes
    if residuals @ residuals <= EXACT * (treatment @ treatment):
        raise StudyError(
            f"instruments of {fit.outcome}", "they give the treatment itself, effects and controls apart", "name others"
        )
    covariance = with_instruments(setting).covariance(instruments, residuals)
    explained = float(slopes @ gram @ slopes)
    unexplained = residuals @ residuals / (fit.n_obs - fit.sizes.n_parameters)
    root = np.linalg.cholesky(gram)
    return FirstStage(
        fit=fit,
        f_effective=explained / float(np.trace(covariance @ gram)),
        f_robust=float(slopes @ np.linalg.solve(covariance, slopes)) / k,
        f_plain=explained / k / float(unexplained),
        critical_values=pd.Series({bias: effective_f_critical(root.T @ covariance @ root, bias) for bias in BIASES}),
    )


def effective_f_critical(covariance: Floats, bias: float, significance: float = 0.05) -> float:
    """Critical value of the effective F by the simplified procedure of Montiel Olea and Pflueger (2013, section 4).

    With W the covariance of the first-stage coefficients on orthonormal instruments and x = 1 / bias:
    K = trace(W)^2 (1 + 2x) / (trace(W'W) + 2x trace(W) largest eigenvalue of W), and the value is the upper quantile of
    the noncentral chi-squared with K degrees of freedom and noncentrality x K, divided by K.

    Parameters
    ----------
    covariance
        W, (K, K), up to a factor.
    bias
        Worst-case bias as a share of the benchmark, such as 0.1.
    significance
        Level of the test.
    """
    from scipy.stats import ncx2

    x = 1 / bias
    trace = float(np.trace(covariance))
    largest = float(np.linalg.eigvalsh(covariance)[-1])
    df = trace**2 * (1 + 2 * x) / (float(np.sum(covariance**2)) + 2 * x * trace * largest)
    return float(ncx2.isf(significance, df, x * df) / df)
