"""What kinds of values actions take: what a key or a message means by one, and what is said of one that is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from realtime_nst.errors import ControlError
from realtime_nst.live.settings import LIMITS

MORE, LESS = "+", "-"
"""Values that go a step up or down, and on or off."""
LONGEST_SHOWN, LONGEST_NAME = 40, 400
"""Letters of a wrong value that a message repeats, and of a style's name or mix."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A row of the table.

    Args:
        name: As addresses have it.
        label: As a page has it.
        help: What it does, in a few words, as the help in the window has it.
        keys: Names of keys; of two, the first means less or back, the second more or on.
        field: Of `Controls`; the name without one.
        group: Where a page puts it: "style", "look", "time", "show", or "window" for what is in the window only.
        words: What the window says of a new value; `None` for what is seen anyway.
    """

    name: str
    label: str
    help: str
    keys: tuple[str, ...] = ()
    field: str = ""
    group: str = "look"
    words: Callable[[Any], str] | None = None

    kind: ClassVar[str] = ""

    @property
    def attribute(self) -> str:
        """The field of `Controls` that holds its value."""
        return self.field or self.name

    @property
    def values(self) -> str:
        """What it takes, in words."""
        raise NotImplementedError

    def read(self, value: object, now: Any) -> Any:
        """What a value means.

        Args:
            value: From a key, a message or a file; `None` means what comes next.
            now: What is set now.

        Raises:
            ControlError: It is no value of this action.
        """
        raise NotImplementedError

    def at(self, share: float) -> object:
        """The value of a knob that is turned so far, from 0 to 1."""
        raise NotImplementedError

    def shown(self, value: Any) -> bool | float | str | None:
        """What is set, as messages say it; `None` for what has no value."""
        return value  # type: ignore[no-any-return]

    def row(self) -> dict[str, Any]:
        """Everything that a page or another program needs of it."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "help": self.help,
            "keys": list(self.keys),
            "group": self.group,
            "values": self.values,
        }

    def wrong(self, value: object) -> ControlError:
        """The error of a value that is none."""
        shown = repr(value)
        shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
        return ControlError(f"{shown} is no value of '{self.name}'. Expected: {self.values}.")


@dataclass(frozen=True, kw_only=True)
class Switch(Action):
    """On or off."""

    kind = "switch"

    @property
    def values(self) -> str:
        return "true or false (also 1 or 0); without a value, it switches over"

    def read(self, value: object, now: bool) -> bool:
        if value is None:
            return not now
        if isinstance(value, (bool, int, float)) and value in (0, 1):
            return bool(value)
        if value in (MORE, LESS):
            return value == MORE
        raise self.wrong(value)

    def at(self, share: float) -> bool:
        return share >= 0.5


@dataclass(frozen=True, kw_only=True)
class Number(Action):
    """A number within limits.

    Args:
        limits: The lowest and the highest; without them those of the setting of this name.
        steps: Rising values that "+" and "-" go through, and without a value round and round; a slider has their range.
        whole: Whether it has no fraction; one that is given is rounded away.
        snaps: Whether a slider stops at the steps only.
    """

    kind = "number"
    limits: tuple[float, float] = (0.0, 0.0)
    steps: tuple[float, ...] = (0.0, 1.0)
    whole: bool = False
    snaps: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest."""
        return self.limits if any(self.limits) else LIMITS[self.name]

    @property
    def values(self) -> str:
        lowest, highest = self.bounds
        number = "whole number" if self.whole else "number"
        return f"a {number} from {lowest:g} to {highest:g}, or + or -; without a value, the next step"

    def read(self, value: object, now: float) -> float:
        if value is None:
            return next((other for other in self.steps if other > now), self.steps[0])
        if value in (MORE, LESS):
            return step(self.steps, now, value == MORE)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(value)
        lowest, highest = self.bounds
        if not lowest <= value <= highest:  # also for NaN
            raise self.wrong(value)
        return round(value) if self.whole else float(value)

    def at(self, share: float) -> float:
        if self.snaps:
            return self.steps[round(share * (len(self.steps) - 1))]
        highest = max(self.steps[-1], min(1.0, self.bounds[1]))  # a share goes to its end
        return self.steps[0] + share * (highest - self.steps[0])

    def row(self) -> dict[str, Any]:
        lowest, highest = self.bounds
        numbers = {"lowest": lowest, "highest": highest, "steps": list(self.steps), "whole": self.whole, "snaps": self.snaps}
        return super().row() | numbers


@dataclass(frozen=True, kw_only=True)
class Choice(Action):
    """One of a few words.

    Args:
        choices: What messages say to what is set.
    """

    kind = "choice"
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> str:
        return f"{', '.join(self.choices)}, or + or -; without a value, the next one"

    def read(self, value: object, now: str) -> str:
        known = list(self.choices.values())
        if value is None or value in (MORE, LESS):
            return known[(known.index(now) + (-1 if value == LESS else 1)) % len(known)]
        if not isinstance(value, str) or value not in self.choices:
            raise self.wrong(value)
        return self.choices[value]

    def at(self, share: float) -> str:
        return list(self.choices)[min(int(share * len(self.choices)), len(self.choices) - 1)]

    def shown(self, value: str) -> str:
        return next(word for word, meant in self.choices.items() if meant == value)

    def row(self) -> dict[str, Any]:
        return super().row() | {"choices": list(self.choices)}


@dataclass(frozen=True, kw_only=True)
class Chosen(Action):
    """A style. `Controls` know which there are."""

    kind = "style"

    @property
    def values(self) -> str:
        return "a style's name or number, or a mix as in wave:0.6,scream:0.4; without a value, the next one"

    def read(self, value: object, now: Any) -> str | int:
        if value is None:
            return MORE
        if isinstance(value, float) and value.is_integer():  # as OSC sends numbers
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self.wrong(value)
        if isinstance(value, str) and (len(value) > LONGEST_NAME or not value.isprintable()):
            raise self.wrong(value)
        return value

    def shown(self, value: Any) -> str:
        return str(value.name)


@dataclass(frozen=True, kw_only=True)
class Press(Action):
    """Something that is done, and then over."""

    kind = "press"

    @property
    def values(self) -> str:
        return "nothing, or true; false, as from a button that is let go, does nothing"

    def read(self, value: object, now: Any) -> bool:
        if value is None:
            return True
        if isinstance(value, (bool, int, float)) and value in (0, 1):
            return bool(value)
        raise self.wrong(value)

    def shown(self, value: Any) -> None:
        return None


@dataclass(frozen=True, kw_only=True)
class Turn(Action):
    """One further, or one back."""

    kind = "turn"

    @property
    def values(self) -> str:
        return "+, true or nothing for the next, - for the one before"

    def read(self, value: object, now: Any) -> str:
        if value is None or value in (MORE, LESS):
            return LESS if value == LESS else MORE
        if isinstance(value, (bool, int, float)) and value in (0, 1):
            return MORE if value else ""  # a button that is let go
        raise self.wrong(value)

    def shown(self, value: Any) -> None:
        return None


def step(values: tuple[float, ...], value: float, up: bool) -> float:
    """The next larger or smaller of some rising values; the last and the first stay."""
    if up:
        return next((other for other in values if other > value), values[-1])
    return next((other for other in reversed(values) if other < value), values[0])
