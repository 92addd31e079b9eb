"""The ROS 2 node that fuses a visible and an infrared image topic, and the programs around it.

The `node` runs a `pipeline`; `live_parameters` holds its settings. A message passes through it in this order:

- `subscription` receives it, `image_input` checks it and hands it to the `synchroniser`.
- `nearest_synchroniser` (or `filter_synchroniser`, which uses message_filters) pairs messages by stamp.
- The thread of `worker` takes the newest pair. `processor` decodes it with `image_messages`, has it fused by
  `psfusion_core.fusion`, and publishes the pictures through `outputs`.

Beside that, `missing_camera` notices a camera that fell silent, `item_counts` counts what the worker did, and
`diagnostics` reports both. The programs are `replay`, `record`, `view`, `demo`, `overhead` and the ROS half
of `doctor`; `loopback` keeps their processes on this machine.
"""
