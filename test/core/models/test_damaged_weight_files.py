"""Weight files that are damaged, missing or hold code are refused in one line, and no code is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_network import filled, refusal

from psfusion_core.models.weight_files import CheckpointError, read_metadata, save_weights


class Payload:
    """Unpickling an instance makes a folder, as a stand-in for running any command."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy pickle"])
@pytest.mark.parametrize("place", ["MTAN", "optimizer"])
def test_code_pickled_into_a_checkpoint_is_not_run(tmp_path: Path, place: str, zipped: bool) -> None:
    path, marker = tmp_path / "w.pth", tmp_path / "marker"
    content = {"MTAN": filled(2).state_dict(), place: Payload(marker)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    message = refusal(path)
    assert not marker.exists()
    assert f"pickled code ({os.mkdir.__module__}.mkdir), which was not run" in message


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_plain_pickle_with_code_is_not_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "w.pth").write_bytes(pickle.dumps(Payload(marker), protocol))
    refusal(tmp_path / "w.pth")
    assert not marker.exists()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("written")
    save_weights(filled(2), folder / "w.safetensors", {"epoch": "1"})
    torch.save(filled(2).state_dict(), folder / "w.pth")
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_wherever_it_was_cut(
    tmp_path: Path, written: dict[str, bytes], suffix: str, fraction: float
) -> None:
    path = tmp_path / f"w{suffix}"
    cut = int(fraction * len(written[suffix]))
    path.write_bytes(written[suffix][:cut])
    assert f"({cut} bytes) is truncated or something else" in refusal(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>", b"version https://git-lfs.github.com/spec/v1\n", b""]
)
def test_a_web_page_or_pointer_in_place_of_the_weights_is_refused(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    assert "copy or download it again" in refusal(path)


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    assert "found no file" in refusal(tmp_path / "missing.safetensors")
    (tmp_path / "folder.pth").mkdir()
    assert "found no file" in refusal(tmp_path / "folder.pth")


def test_metadata_of_a_damaged_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found no file"):
        read_metadata(tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").write_bytes(b"\x10")
    with pytest.raises(CheckpointError, match="truncated or something else"):
        read_metadata(tmp_path / "w.safetensors")
