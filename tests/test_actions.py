"""The table of actions: what each does to a show, what values mean, who is told; docs/control.md is made from it."""

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.errors import ControlError
from realtime_nst.live.actions import ACTIONS, BY_NAME
from realtime_nst.live.controls import Controls
from realtime_nst.live.keys import KEYS
from realtime_nst.live.kinds import Action, Number
from realtime_nst.live.settings import Settings
from realtime_nst.style.book import StyleBook

DOCS = Path(__file__).parents[1] / "docs"

EXAMPLES: dict[str, tuple[Any, Any]] = {
    "style": ("wave", "wave"),
    "strength": (0.3, 0.3),
    "colours": (True, True),
    "texture": (0.3, 0.3),
    "follow_camera": (False, False),
    "scale": (0.5, 0.5),
    "stability": (12.4, 12),
    "mix": (0.4, 0.4),
    "other": ("wave", "wave"),
    "refine": (True, True),
    "cycle": (1, True),
    "cycle_seconds": (3, 3.0),
    "fade": (0.0, False),
    "fade_seconds": (2.5, 2.5),
    "wipe": ("moving", "moving"),
    "mirror": (True, True),
    "full_screen": (True, True),
    "pause": (True, True),
    "record": (True, True),
    "display": (True, True),
    "help": (True, True),
}
"""A value of each action that has one, and how it is told. Every action is here or in `DONE`."""
DONE: dict[str, Callable[[Controls], bool]] = {
    "next": lambda controls: controls.style.name == "scream",
    "snapshot": lambda controls: controls.snapshots_wanted == 1,
    "quit": lambda controls: controls.quit,
}
"""How one sees that an action without a value is done, from the style "mosaic" on."""
WRONG: dict[str, list[Any]] = {
    "switch": [2, -1, 0.5, "yes", "", [], {}, float("nan"), [True]],
    "number": [-0.001, 1e9, float("nan"), float("inf"), True, "0.5", "much", [], {}, [0.5], "9" * 10_000],
    "choice": ["", "Half", 1, True, ["half"], {"half": 1}],
    "style": [
        "",
        "no-such-style",
        0,
        -1,
        4,
        1.5,
        True,
        ["wave"],
        {},
        "wave:x",
        "wave:-1",
        "\x00",
        "../wave",
        "a\nb",
        "x" * 10_000,
        10**400,
    ],
    "press": [2, "now", [], {}, 0.3],
    "turn": [2, "next", [], {}, "-1"],
}


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    """Three styles: mosaic, scream, wave."""
    return Controls(list(book.values()))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_sets_what_its_state_then_tells(controls: Controls, action: Action) -> None:
    if action.name in EXAMPLES:
        value, told = EXAMPLES[action.name]
        assert controls.state["actions"][action.name] != told
        controls.do(action.name, value)
        assert controls.state["actions"][action.name] == told
    else:
        assert action.name in DONE, "an example of a new action belongs into EXAMPLES or DONE"
        controls.do(action.name)
        assert DONE[action.name](controls) and action.name not in controls.state["actions"]


def test_what_is_pressed_is_done_once_and_letting_go_does_nothing(controls: Controls) -> None:
    for value in (1.0, 0.0, True, False, None):
        controls.do("snapshot", value)
    assert controls.snapshots_wanted == 3
    controls.do("quit", 0)
    assert not controls.quit
    controls.do("quit", 1)
    assert controls.quit


def test_next_goes_on_and_back(controls: Controls) -> None:
    names = []
    for value in (None, "+", True, False, "-"):
        controls.do("next", value)
        names.append(controls.style.name)
    assert names == ["scream", "wave", "mosaic", "mosaic", "wave"]


def test_a_style_without_a_value_is_the_next_and_none_is_mixed_with_itself(controls: Controls) -> None:
    styles, others = [], []
    for _ in range(4):
        controls.do("style")
        styles.append(controls.style.name)
    assert styles == ["scream", "wave", "mosaic", "scream"]
    controls.do("mix", 0.5)
    for _ in range(3):
        controls.do("other")
        others.append(controls.other.name)
    assert others == ["wave", "mosaic", "wave"] and controls.target.name == "scream:0.5,wave:0.5"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_key_that_does_it(book: StyleBook, action: Action) -> None:
    assert action.keys and [key.action for key in KEYS].count(action.name) == 1
    for key in action.keys[:3]:
        controls = Controls(list(book.values()), settings=Settings(strength=0.5, texture=0.5, scale=0.5, stability=8))
        controls.do("style", "scream")
        controls.do("mix", 0.25)

        def shown(controls: Controls = controls) -> tuple[Any, ...]:
            return controls.state["actions"], controls.quit, controls.snapshots_wanted

        before = shown()
        controls.press(key)
        assert shown() != before, key


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_bad_values_are_one_line_and_change_nothing(controls: Controls, action: Action) -> None:
    before, settings = controls.state, controls.settings
    for value in WRONG[action.kind]:
        with pytest.raises(ControlError) as raised:
            controls.do(action.name, value)
        said = str(raised.value)
        assert len(said.splitlines()) == 1 and len(said) < 300 and said.endswith("."), said
        assert controls.state["actions"] == before["actions"] and controls.settings == settings and not controls.chosen
    assert not (controls.quit or controls.snapshots_wanted)


def test_an_action_that_is_none_names_those_that_are(controls: Controls) -> None:
    with pytest.raises(ControlError, match=r"No action named 'strenght'\. Did you mean 'strength'\? Actions: style, "):
        controls.do("strenght", 1)
    with pytest.raises(ControlError, match=r"No action named '\\n__init__'"):
        controls.do("\n__init__")
    with pytest.raises(ControlError, match=r"2 is no value of 'strength'\. Expected: a number from 0 to 1"):
        controls.do("strength", 2)


@pytest.mark.parametrize("action", [action for action in ACTIONS if isinstance(action, Number)], ids=lambda action: action.name)
def test_numbers_go_step_by_step_to_their_ends_and_without_a_value_round(controls: Controls, action: Number) -> None:
    for _ in action.steps:
        controls.do(action.name, "-")
    seen = []
    for value in ("+",) * len(action.steps) + (None,):
        seen.append(controls.state["actions"][action.name])
        controls.do(action.name, value)
    assert controls.state["actions"][action.name] == action.steps[0]
    assert seen[-1] == action.steps[-1] and seen == sorted(seen)
    for value in action.bounds:
        controls.do(action.name, value)


def test_a_mix_with_any_style_is_the_sum_of_both(controls: Controls, book: StyleBook) -> None:
    controls.do("style", "mosaic")
    controls.do("other", "wave")
    controls.do("mix", 0.3)
    expected = 0.7 * book["mosaic"].vector + 0.3 * book["wave"].vector
    assert np.allclose(controls.target.vector, expected, atol=1e-6)
    assert controls.state["painting"] == "mosaic:0.7,wave:0.3"
    controls.do("other", "scream")
    assert controls.state["painting"] == "mosaic:0.7,scream:0.3", "another one takes its place"
    with pytest.raises(ControlError, match="mosaic and mosaic do not mix"):
        controls.do("other", "mosaic")
    assert controls.state["painting"] == "mosaic:0.7,scream:0.3" and controls.other.name == "scream"
    controls.do("style", "wave:0.5,scream:0.5")
    assert np.allclose(controls.target.vector, (book["wave"].vector + book["scream"].vector) / 2, atol=1e-6)


def test_a_key_says_in_the_window_what_cannot_be_done(book: StyleBook) -> None:
    controls = Controls([book["wave"]])
    controls.press("b")
    assert controls.notice == "wave and wave do not mix."
    controls.press("5")
    assert controls.notice == "There is no style of this number, only 1 to 1."


def test_listeners_are_told_of_every_change_whoever_made_it_and_of_nothing_else(book: StyleBook) -> None:
    now = 0.0
    controls = Controls(list(book.values()), clock=lambda: now)
    told: list[dict[str, Any]] = []
    stop = controls.listen(told.append)
    controls.do("strength", 0.5)
    assert told[-1]["actions"]["strength"] == 0.5 and told[-1]["notice"] == "strength 50%"
    controls.press("c")
    assert told[-1]["actions"]["colours"] is True
    controls.recording = True  # as a recorder that fails does
    controls.tick()
    assert told[-1]["actions"]["record"] is True
    count = len(told)
    controls.tick()
    controls.do("strength", 0.5)
    assert len(told) == count + 1 and told[-1]["notice"] == "strength 50%", "only the words are new"
    now = 3.0
    controls.tick()
    assert told[-1]["notice"] == ""
    stop()
    count = len(told)
    controls.do("strength", 1)
    assert len(told) == count


def test_many_threads_change_it_one_after_another(controls: Controls) -> None:
    told: list[dict[str, Any]] = []
    controls.listen(told.append)

    def turn(name: str) -> None:
        for number in range(49):
            controls.do(name, (number + 1) / 50)
            controls.do("next")

    threads = [threading.Thread(target=turn, args=(name,)) for name in ("strength", "mix", "strength", "stability")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told[-1] == controls.state and controls.changes >= 392
    for state in told:  # never half of one change and half of another
        mixed, painting = state["actions"]["mix"], state["painting"]
        assert painting.startswith(state["actions"]["style"]) and ("," in painting) == (mixed > 0)


def test_what_messages_set_is_remembered_as_what_keys_set(book: StyleBook) -> None:
    controls = Controls(list(book.values()))
    for name, (value, _) in EXAMPLES.items():
        if name not in ("other", "mix"):
            controls.do(name, value)
    assert controls.chosen.keys() == asdict(Settings()).keys()
    again = Controls(list(book.values()), book.mix(controls.settings.style), controls.settings)
    assert again.settings == controls.settings


def test_rows_say_what_a_page_needs_and_keys_are_theirs() -> None:
    rows = [action.row() for action in ACTIONS]
    assert [tuple(row["keys"]) for row in rows if row["keys"]] == [key.names for key in KEYS]
    assert all(row["label"] and row["help"] and row["values"] for row in rows)
    assert BY_NAME["stability"].row()["highest"] == 32 and BY_NAME["wipe"].row()["choices"] == ["off", "half", "moving"]


def test_docs_have_the_table_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("control_page", DOCS / "control.py")
    assert spec is not None and spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    text = (DOCS / "control.md").read_text("utf-8")
    assert all(f"| `{action.name}` |" in text for action in ACTIONS)
    assert page.with_table(text) == text, "`python docs/control.py` writes it anew"
