"""What runs the notebooks: the command, the plan, kernels, the record of what ran."""
