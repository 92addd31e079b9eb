"""What cameras send: image messages and files to frames, frames to pairs, pixels to tensors.

A frame arrives as bytes (`image_decoding`, `compressed`, `image_files`), is checked (`image_check`) and
paired by stamp (`pairing`). Its pixels are unpacked on the device that fuses (`upload`, `unpack`), where
`thermal_gain` turns 16-bit counts into grey levels.
"""
