from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.frames import Frames

IDS = [f"0/{number}" for number in range(200)]


def frame(frame_id: str) -> Frame:
    return Frame(id=frame_id, branch="", state="Charge", input=None)


@given(st.lists(st.lists(st.tuples(st.sampled_from(IDS), st.booleans()), max_size=120), max_size=8))
def test_every_version_is_what_a_dict_copied_each_time_would_be(versions: list[list[tuple[str, bool]]]) -> None:
    """Order included: in it, open work is found again and history says what was aborted."""
    expected: dict[str, Frame] = {"0": frame("0")}
    frames = Frames(expected)
    older: list[tuple[Frames, dict[str, Frame]]] = []
    gone: set[str] = set()
    for changes in versions:
        older.append((frames, expected))
        frames, expected = frames.copy(), dict(expected)
        for frame_id, stays in changes:
            if frame_id in gone:
                continue
            if stays:
                frames[frame_id] = expected[frame_id] = frame(frame_id)
            elif frame_id in expected:
                del frames[frame_id], expected[frame_id]
                gone.add(frame_id)
    for version, content in [*older, (frames, expected)]:
        assert list(version.items()) == list(content.items())
        assert version == content
        assert len(version) == len(content)
        assert [frame_id in version for frame_id in IDS] == [frame_id in content for frame_id in IDS]
        assert repr(version) == repr(content)


def test_a_change_after_many_shares_what_did_not_change() -> None:
    """One that copied would make a Map that ends one by one cost the square of its items."""
    base = {frame_id: frame(frame_id) for frame_id in IDS}
    frames = Frames(base)
    for frame_id in IDS[:50]:
        frames = frames.copy()
        frames[frame_id] = frame(frame_id)
    assert frames._base is base


def test_differences_that_grow_are_merged_into_a_base_of_their_own() -> None:
    frames = Frames({})
    for frame_id in IDS:
        frames = frames.copy()
        frames[frame_id] = frame(frame_id)
    assert len(frames._differences) < len(IDS) / 2
    assert list(frames) == IDS


def test_what_is_cleared_is_kept_by_the_version_before() -> None:
    before = Frames({"0": frame("0")})
    after = before.copy()
    after.clear()
    assert not after
    assert list(before) == ["0"]
