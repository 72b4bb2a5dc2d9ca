"""The commands of `python -m ddpm_lab`: train, sample, evaluate, doctor."""
