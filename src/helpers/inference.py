"""Inference with few clusters: one door to the wild bootstrap, CR2, CR3 and the standard-error passport."""

from helpers.bootstrap import WildBootstrap, wild_cluster_bootstrap
from helpers.passport import standard_error_passport
from helpers.small_sample import SmallSampleTest, cr2, cr3

__all__ = ["SmallSampleTest", "WildBootstrap", "cr2", "cr3", "standard_error_passport", "wild_cluster_bootstrap"]
