"""Label sets: which classes a data set has, and how its labels become those of another set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.training.data.label_sets import LABEL_SETS, map_labels
from psfusion_core.training.data.scene_planes import IGNORE


def labels(classes: int) -> st.SearchStrategy[npt.NDArray[np.uint8]]:
    values = st.integers(0, classes - 1) | st.just(IGNORE)
    return arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=values)


@given(st.data(), st.sampled_from(sorted(LABEL_SETS)))
def test_a_label_stays_as_it_is_in_its_own_set(data: st.DataObject, name: str) -> None:
    label = data.draw(labels(len(LABEL_SETS[name])))
    np.testing.assert_array_equal(map_labels(label, name, name), label)


@given(st.data(), st.sampled_from(sorted(LABEL_SETS)))
def test_every_label_lands_among_the_nine_classes_and_unknown_stays_unknown(
    data: st.DataObject, name: str
) -> None:
    label = data.draw(labels(len(LABEL_SETS[name])))
    mapped = map_labels(label, name, "msrs")
    assert (mapped.shape, mapped.dtype) == (label.shape, np.uint8)
    assert (mapped[label == IGNORE] == IGNORE).all()
    assert ((mapped < len(CLASS_NAMES)) | (mapped == IGNORE)).all()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("pst900", {"survivor": "person"}),
        (
            "fmb",
            {
                "person": "person", "car": "car", "truck": "car", "bus": "car",
                "motorcycle": "bike", "bicycle": "bike",
            },
        ),
    ],
)  # fmt: skip
def test_people_and_vehicles_keep_their_class_and_all_else_is_unlabelled(
    name: str, kept: dict[str, str]
) -> None:
    classes = LABEL_SETS[name]
    mapped = map_labels(np.arange(len(classes), dtype=np.uint8)[np.newaxis], name, "msrs")[0]
    named = {
        before: CLASS_NAMES[after] for before, after in zip(classes, mapped, strict=True) if after != IGNORE
    }
    assert {before: after for before, after in named.items() if after != "unlabelled"} == kept


def test_what_fmb_left_unlabelled_is_unknown_not_background() -> None:
    assert map_labels(np.array([[0, 1, 9]], np.uint8), "fmb", "msrs").tolist() == [[IGNORE, 0, 1]]


def test_the_indices_are_those_that_the_data_sets_publish() -> None:
    assert {name: len(classes) for name, classes in LABEL_SETS.items()} == {"msrs": 9, "pst900": 5, "fmb": 15}
    assert [LABEL_SETS["fmb"][index] for index in (1, 8, 9, 14)] == ["road", "person", "car", "pole"]
    assert LABEL_SETS["pst900"][1:] == ("fire_extinguisher", "backpack", "hand_drill", "survivor")


@given(st.data(), st.sampled_from(sorted(LABEL_SETS)), st.sampled_from(["itself", "msrs"]))
def test_a_class_outside_the_set_is_named_with_the_set_and_its_size(
    data: st.DataObject, name: str, target: str
) -> None:
    classes = len(LABEL_SETS[name])
    label = data.draw(labels(classes))
    value = data.draw(st.integers(classes, IGNORE - 1))
    label[-1, -1] = value
    with pytest.raises(ValueError, match=f"class {value}; {name} has {classes} classes"):
        map_labels(label, name, name if target == "itself" else target)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("msrs", "fmb", r"msrs cannot become fmb: keep them \(msrs\)"),
        ("pst900", "fmb", "translate them to msrs"),
        ("kitti", "msrs", "unknown label set 'kitti': expected one of msrs, pst900, fmb"),
        ("msrs", "kitti", "unknown label set 'kitti'"),
    ],
)
def test_translations_that_do_not_exist_are_errors_that_say_which_do(
    source: str, target: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        map_labels(np.zeros((2, 2), np.uint8), source, target)
