"""Check of Kyutai's models on a GPU, with random weights of full size: `python -m benchmarks.gpu_check`.

`__main__` runs the sections, each within its share of the time; `report` has the table, `check` what all sections use.
`models` writes the checkpoints, `parity` compares an engine with the moshi package, `measure` has times and memory.
Every other module is a section.
"""
