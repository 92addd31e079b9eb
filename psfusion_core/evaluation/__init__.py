"""Measures fused images and label maps against their sources and the truth, over folders of pairs.

`planning` lists the pairs that are not measured yet, and `execution` measures them: one at a time
(`pair_measurement`) or many at once on a GPU (`batches`). `records` keep every finished pair on disk.
`methods` are what is compared, and `method_results` load or compute their results; `disturbances` change the
infrared image before. `summary` computes means and ranks, and `evaluation_report` writes `tables`, `figures`,
the `example_sheet` and the curves of `robustness`.
"""
