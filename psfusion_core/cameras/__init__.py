"""Turns what cameras send into pairs of frames, and their pixels into tensors.

The path of an image message:

1. `image_check` checks it as it arrives: header, stamp (`clock_watch`), frozen camera (`freeze_detector`).
2. `pairing` pairs it with an image of the other camera by stamp.
3. `image_decoding` decodes it to a `frame`, with `encodings` (raw images) or `compressed` (JPEG, PNG).
4. `upload` moves the pixels to the device that fuses, and `unpack` converts them there; `thermal_gain` gives
   the grey levels of 16-bit counts.

`image_files` reads and writes image files.
"""
