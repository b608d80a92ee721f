"""Inference with few clusters: one door to the wild bootstrap, CR2, CR3 and the standard-error passport."""

from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import SmallSampleTest, cr2, cr3
from helpers.inference.wild import WildBootstrap, wild_cluster_bootstrap

__all__ = ["SmallSampleTest", "WildBootstrap", "cr2", "cr3", "standard_error_passport", "wild_cluster_bootstrap"]
