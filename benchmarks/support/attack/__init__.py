"""The attacks of `benchmarks/attack.py`, one file each."""
