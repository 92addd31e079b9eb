"""The training pipeline: `trainer` has the loop, `training_config` the keys of a recipe; `recipe` reads it.

- Input: `data` reads pairs, `teacher` labels them, `augmentation` varies them, `training_batches` joins all.
- Steps: `starting_network`, `pretrained`, `losses`, `optimization`, `data_parallel`, `validation`.
- Run folder: `checkpoints`, `resume_check`, `provenance`, `training_log`; `inspection` draws batches.
"""
