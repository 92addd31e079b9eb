"""Synchroniser and worker: subscriptions add images, one thread takes the newest pair, nothing hangs."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from time import sleep
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from sensor_msgs.msg import Image

from psfusion_core.cameras.stamped import StampedPair
from psfusion_ros.item_counts import ItemCounter
from psfusion_ros.pipeline import create_synchroniser
from psfusion_ros.synchroniser import Item, Synchroniser, SyncSettings, UnpairedImage
from psfusion_ros.worker import Worker

MILLISECOND = 1_000_000
START = 1_700_000_000_000
PATIENCE = 30.0

HAS_MESSAGE_FILTERS = importlib.util.find_spec("message_filters") is not None
needs_message_filters = pytest.mark.skipif(
    not HAS_MESSAGE_FILTERS,
    reason="message_filters is not installed (it comes with ROS 2 from apt only)",
)
POLICIES = [
    "nearest",
    pytest.param("approximate", marks=needs_message_filters),
    pytest.param("exact", marks=needs_message_filters),
]


def image(milliseconds: int) -> Image:
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(
        (START + milliseconds) * MILLISECOND, 10**9
    )
    return message


def create(policy: str, tolerance: int = 50, infrared_offset: int = 0, queue_size: int = 10) -> Synchroniser:
    return create_synchroniser(
        SyncSettings(policy, tolerance * MILLISECOND, 0, infrared_offset * MILLISECOND, queue_size)
    )


def send(synchroniser: Synchroniser, *times: int, infrared_later: int = 0) -> None:
    for time in times:
        synchroniser.add("visible", image(time))
        synchroniser.add("infrared", image(time + infrared_later))


def taken_at(pair: Item | None) -> int:
    assert isinstance(pair, StampedPair)
    return pair.visible.stamp // MILLISECOND - START


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_newest_pair_is_taken_and_every_frame_accounted_for(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 0, 100, 200)
    synchroniser.add("visible", image(300))

    assert taken_at(synchroniser.take()) == 200

    report = synchroniser.report()
    assert (report.visible.paired, report.infrared.paired) == (1, 1)
    assert (report.visible.superseded, report.infrared.superseded) == (2, 2)
    assert (report.visible.waiting, report.infrared.waiting) == (1, 0)
    for counts in (report.visible, report.infrared):
        assert counts.received == sum(value for name, value in vars(counts).items() if name != "received")
    assert report.stream_difference == -100 * MILLISECOND


def test_offsets_make_late_cameras_pair(policy: str) -> None:
    synchroniser = create(policy, infrared_offset=-400)
    send(synchroniser, 0, infrared_later=400)

    pair = synchroniser.take()

    assert isinstance(pair, StampedPair)
    assert pair.difference == 0


def test_a_jump_back_is_counted_and_pairing_goes_on(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 5000)
    assert taken_at(synchroniser.take()) == 5000

    send(synchroniser, 0, 100)

    assert taken_at(synchroniser.take()) == 100
    assert synchroniser.report().resets >= 1


def test_reset_forgets_what_waits(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 0)
    synchroniser.add("visible", image(100))

    synchroniser.reset()
    send(synchroniser, 200)

    assert taken_at(synchroniser.take()) == 200
    report = synchroniser.report()
    assert (report.visible.dropped_reset, report.infrared.dropped_reset) == (2, 1)


def test_the_images_of_one_camera_are_handed_out_alone_until_the_other_one_is_back(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 0)
    assert taken_at(synchroniser.take()) == 0
    synchroniser.pass_through("visible")
    for time in (100, 200):
        synchroniser.add("visible", image(time))

    alone = synchroniser.take()

    assert isinstance(alone, UnpairedImage)
    assert alone.camera == "visible"
    assert alone.image.stamp // MILLISECOND - START == 200, "the newest"
    synchroniser.add("infrared", image(200))  # its partner is used up
    send(synchroniser, 300)
    assert taken_at(synchroniser.take()) == 300
    report = synchroniser.report()
    assert (report.visible.alone, report.visible.superseded) == (1, 1)
    for counts in (report.visible, report.infrared):
        assert counts.received == sum(value for name, value in vars(counts).items() if name != "received")


def test_tolerance_and_offsets_can_be_changed(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 0, infrared_later=400)

    synchroniser.retune(SyncSettings(policy, 50 * MILLISECOND, 0, -400 * MILLISECOND, 10))
    send(synchroniser, 1000, infrared_later=400)

    assert taken_at(synchroniser.take()) == 1000


def test_closed_and_opened_again_it_gives_pairs_of_new_frames_only(policy: str) -> None:
    synchroniser = create(policy)
    send(synchroniser, 0)
    synchroniser.close()
    assert synchroniser.take() is None

    synchroniser.open()
    send(synchroniser, 100)

    assert taken_at(synchroniser.take()) == 100


def test_a_pair_that_no_frame_follows_is_handed_out_after_the_tolerance() -> None:
    synchroniser = create("nearest", tolerance=20)
    send(synchroniser, 0, infrared_later=10)

    assert taken_at(synchroniser.take()) == 0


@pytest.mark.skipif(HAS_MESSAGE_FILTERS, reason="message_filters is installed")
def test_the_policies_of_message_filters_say_what_to_install_where_it_is_missing() -> None:
    with pytest.raises(ValueError, match=r"sync\.policy exact.*set sync\.policy to nearest"):
        create("exact")


@pytest.fixture
def closing() -> Iterator[Synchroniser]:
    synchroniser = create("nearest")
    yield synchroniser
    synchroniser.close()


def test_a_worker_takes_what_is_stored_meanwhile_and_survives_failures(closing: Synchroniser) -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    processed: list[int] = []
    failures: list[str] = []

    def process(pair: Item) -> None:
        begun.release()
        assert go_on.acquire(timeout=PATIENCE)
        processed.append(taken_at(pair))
        if len(processed) == 1:
            raise RuntimeError("first fails")

    processor = SimpleNamespace(process=process, drop=lambda error: failures.append(str(error)))
    worker = Worker(closing, processor, ItemCounter())  # type: ignore[arg-type]
    worker.start()
    send(closing, 0)
    assert begun.acquire(timeout=PATIENCE)
    send(closing, 100, 200, 300)  # while the worker is busy
    go_on.release(2)
    assert begun.acquire(timeout=PATIENCE)
    closing.close()
    worker.join()

    assert processed == [0, 300]
    assert failures == ["first fails"]


@pytest.mark.parametrize("where", ["take", "drop"])
def test_no_error_ends_a_worker_and_its_faults_are_counted(closing: Synchroniser, where: str) -> None:
    processed: list[int] = []
    faults = iter([RuntimeError(f"{where} fails")])
    take = closing.take

    def fail_once(*_: object) -> Item | None:
        for fault in faults:
            raise fault
        return take()

    def process(item: Item) -> None:
        if where == "drop" and not processed:
            processed.append(-1)
            raise ValueError("an item that cannot be used")
        processed.append(taken_at(item))

    synchroniser = SimpleNamespace(take=fail_once if where == "take" else take)
    counter = ItemCounter()
    worker = Worker(synchroniser, SimpleNamespace(process=process, drop=fail_once), counter)  # type: ignore[arg-type]
    worker.start()
    for number in range(0, 3000, 100):
        send(closing, number)
        if processed and processed[-1] >= 0:
            break
        sleep(0.1)

    assert worker.is_alive
    counts = counter.snapshot()
    assert (counts.worker_faults, counts.last_worker_fault) == (1, f"RuntimeError: {where} fails")
    assert processed[-1] >= 0, "an item after the fault is processed"
    closing.close()
    worker.join()
    assert not worker.is_alive


def test_closing_ends_a_worker_that_waits(closing: Synchroniser) -> None:
    worker = Worker(closing, SimpleNamespace(), ItemCounter())  # type: ignore[arg-type]
    worker.start()

    closing.close()
    worker.join()

    assert closing.take() is None
