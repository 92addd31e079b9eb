"""Recorded bags without ROS: reading, pairing as in the node, fusing, and writing bags with the results.

`bag_run` fuses a bag: `bag_reader` opens it, `camera_topics` finds the cameras, `bag_pairing` pairs images,
`chunk_planning` divides the pairs, `chunk_fusing` fuses one chunk in any process, `chunk_joining` joins them
through `bag_writer`, and `bag_report` counts the images. The other files read and convert messages.
"""
