"""The ROS 2 node that fuses a visible and an infrared image topic, and the programs around it.

`node` has the life cycle and runs a `pipeline`. `live_parameters` declares its parameters to ROS; they are
listed in `psfusion_core.fusion.node_parameters`. An image message passes through the pipeline in this order:

- `subscription` receives the message. `image_input` checks it and adds it to the `synchroniser`.
- `nearest_synchroniser` pairs messages by stamp, or `filter_synchroniser` does with message_filters.
- The thread of `worker` takes the newest pair.
- `processor` decodes the pair with `psfusion_core.cameras.image_decoding`, has it fused by
  `psfusion_core.fusion`, and publishes through `outputs`.

`missing_camera` notices a silent camera, `item_counts` counts what the worker did, and `diagnostics` reports
on all parts. `replay`, `record`, `view`, `demo`, `overhead` and `doctor` are programs around the node, and
`loopback` starts their processes.
"""
