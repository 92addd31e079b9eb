"""Fused images and label maps measured against their sources and the truth, over folders of pairs.

`methods` say what is compared (`asking` makes them of words), `origins` where the result of a pair is from,
`disturbances` what happens to the infrared before. `planning` finds what is to do, `running` does it: `tasks`
measure one pair, `pool` and `batches` many of them, and `records` keep every finished pair on disk. `summary`
takes means and ranks; `tables`, `figures`, `sheet` and `robustness` show them, gathered by `report`.
"""
