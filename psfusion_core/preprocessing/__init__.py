"""From a camera's bytes, as they came, to what the networks take; all of it on the device that fuses.

upload -> unpack (mosaic, YUV, channel order) -> grey levels -> infrared laid on the visible image -> padding

Every step is plain tensor code that runs on any device. Results are those of OpenCV's conversions in
:mod:`psfusion_core.stream.encodings`, which programs that need arrays use; only the grey of a mosaic may
differ, by one level.
"""
