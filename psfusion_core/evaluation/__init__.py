"""Fused images and label maps measured against their sources and the truth, over folders of pairs.

`methods` say what is compared (`method_options` makes them of words), `origins` where the result of a pair is
from, `disturbances` what happens to the infrared before. `planning` finds what is to do, `running` does it:
`tasks` measure one pair, wherever `distribution` has that done, `batches` many at once, and `records` keep
every finished pair on disk. `summary` takes means and ranks; `tables`, `figures`, `sheet` and `robustness`
show them, gathered by `report`.
"""
