"""Camera streams without ROS: image bytes to frames, frames to pairs, thermal counts to grey levels."""
