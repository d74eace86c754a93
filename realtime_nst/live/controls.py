"""What the user wants now. The main thread writes, the stylizing thread reads.

Every field is replaced in one step, so no lock is needed. The keys are in `keys.py`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from realtime_nst.live.keys import KEYS
from realtime_nst.live.settings import FADE_SECONDS, SCALES, STRENGTHS, WIPES, Settings
from realtime_nst.style.book import mix_name
from realtime_nst.style.crossfade import blend
from realtime_nst.style.look import STABILITIES
from realtime_nst.style.style import Style

NOTICE_SECONDS = 2.0
BALANCES = (0.0, 0.25, 0.5, 0.75)
T = TypeVar("T", int, float)


class Controls:
    """The user's wishes.

    Args:
        styles: What the number keys and next/previous choose from.
        style: Where to start; it may be a mix, which is then before the first.
        settings: Where everything else starts.
        clock: Seconds.
    """

    def __init__(
        self,
        styles: Sequence[Style],
        style: Style | None = None,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not styles:
            raise ValueError("styles: at least one was expected.")
        start = settings or Settings()
        self.styles = list(styles)
        self.style = style or self.styles[0]
        self.target = self.style
        """What to paint in: the style, or a mix of it with the one before."""
        self.strength = start.strength
        self.colours = start.colours
        self.stability = start.stability
        self.scale = start.scale
        self.fade = start.fade
        self._fade = start.fade or FADE_SECONDS  # when it fades
        self.mirror = start.mirror
        self.show_display = start.display
        self.balance = 0.0
        self.wipe = start.wipe
        self.full_screen = False
        self.recording = False
        self.paused = False
        self.watched = True
        """Whether anyone takes the frames; a window out of sight does not."""
        self.quit = False
        self.show_help = False
        self.snapshots_wanted = 0
        self.changes = 0
        self.chosen: dict[str, Any] = {}
        """What later shows start with, by the names of `Settings`: what keys set, however this show began."""
        self._other = self.styles[(self.position + 1) % len(self.styles)]
        self._cycle_seconds = start.cycle
        self._next_change = 0.0
        self._clock = clock
        self._notice: tuple[str, float] = ("", 0.0)
        self.cycle(start.cycling)

    def press(self, name: str | None) -> None:
        """Do what a key means; an unknown key or `None` does nothing."""
        for key in KEYS:
            if name is not None and name in key.names:
                before = asdict(self.settings)
                action = getattr(self, f"_{key.action}")
                action(name)
                self.keep(setting for setting, value in asdict(self.settings).items() if value != before[setting])
                self.changes += 1

    def tick(self) -> None:
        """Let time do what it should: change the style when its turn is over."""
        if self.cycling and not self.idle and self._clock() >= self._next_change:
            self._next_change = self._clock() + self._cycle_seconds
            self._use((self.position + 1) % len(self.styles))
            self.changes += 1

    def keep(self, names: Iterable[str]) -> None:
        """Have these settings remembered as they are now."""
        settings = asdict(self.settings)
        self.chosen.update((name, settings[name]) for name in names)

    def leave(self) -> None:
        """Ask to quit."""
        self.quit = True

    def cycle(self, on: bool = True) -> None:
        """Let styles change by themselves, or not."""
        self.cycling = on
        self._next_change = self._clock() + self._cycle_seconds

    def say(self, text: str, seconds: float = NOTICE_SECONDS) -> None:
        """Show a few words for a moment."""
        self._notice = (text, self._clock() + seconds)
        self.changes += 1

    @property
    def idle(self) -> bool:
        """True when nobody would see a new frame."""
        return self.paused or not self.watched

    @property
    def notice(self) -> str:
        """What to show now; empty when its moment is over."""
        text, until = self._notice
        return text if self._clock() < until else ""

    @property
    def position(self) -> int:
        """Place of the present style in the list, from 0; -1 for a mix."""
        names = [style.name for style in self.styles]
        return names.index(self.style.name) if self.style.name in names else -1

    @property
    def settings(self) -> Settings:
        """How the show is set now, by flags, by keys and by what was remembered."""
        return Settings(
            style=self.target.name,
            strength=self.strength,
            colours=self.colours,
            stability=self.stability,
            scale=self.scale,
            fade=self.fade,
            cycle=self._cycle_seconds,
            mirror=self.mirror,
            display=self.show_display,
            cycling=self.cycling,
            wipe=self.wipe,
        )

    def _choose(self, name: str) -> None:
        if int(name) <= len(self.styles):
            self._use(int(name) - 1)
            self.keep(["style"])  # also if it is there already: this one is wanted

    def _step_style(self, name: str) -> None:
        place = self.position + 1 if name == "n" else max(self.position, 0) - 1
        self._use(place % len(self.styles))

    def _use(self, position: int) -> None:
        chosen = self.styles[position]
        if chosen.name != self.style.name:
            self._other = self.style
        self.style = self.target = chosen
        self.balance = 0.0
        self._next_change = max(self._next_change, self._clock() + self._cycle_seconds)
        self.say(f"{position + 1}  {chosen.name}")

    def _step_balance(self, name: str) -> None:
        other = self._other
        if other.name == self.style.name or other.body.sha256 != self.style.body.sha256:
            self.say(f"{self.style.name} and {other.name} do not mix")
            return
        self.balance = BALANCES[(BALANCES.index(self.balance) + 1) % len(BALANCES)]
        mix = replace(blend(self.style, other, self.balance), name=mix_name(self.style.name, other.name, self.balance))
        self.target = mix if self.balance else self.style
        self.say(f"{1 - self.balance:.0%} {self.style.name}   {self.balance:.0%} {other.name}")

    def _step_strength(self, name: str) -> None:
        self.strength = step(STRENGTHS, self.strength, name == "+")
        self.say("the photo" if not self.strength else f"strength {self.strength:.0%}")

    def _toggle_colours(self, name: str) -> None:
        self.colours = not self.colours
        self.say("my colours" if self.colours else "the painting's colours")

    def _step_scale(self, name: str) -> None:
        self.scale = step(SCALES, self.scale, name == ".")
        self.say(f"painted at {self.scale:.0%} of the size")

    def _step_stability(self, name: str) -> None:
        self.stability = step(STABILITIES, self.stability, name == "k")
        self.say(f"stability {self.stability}" if self.stability else "stability off")

    def _toggle_cycle(self, name: str) -> None:
        self.cycle(not self.cycling)
        if not self.cycling:
            self.keep(["style"])  # that of this moment was chosen, by letting it stay
        self.say(f"another style every {self._cycle_seconds:g} s" if self.cycling else "this style stays")

    def _toggle_fade(self, name: str) -> None:
        self.fade = 0.0 if self.fade else self._fade
        self.say(f"fade to the next style over {self.fade:g} s" if self.fade else "cut to the next style")

    def _step_wipe(self, name: str) -> None:
        self.wipe = WIPES[(WIPES.index(self.wipe) + 1) % len(WIPES)]

    def _toggle_pause(self, name: str) -> None:
        self.paused = not self.paused

    def _toggle_mirror(self, name: str) -> None:
        self.mirror = not self.mirror

    def _toggle_full_screen(self, name: str) -> None:
        self.full_screen = not self.full_screen

    def _toggle_recording(self, name: str) -> None:
        self.recording = not self.recording
        if self.recording and self.paused:
            self.say("recording begins when you go on")

    def _toggle_display(self, name: str) -> None:
        self.show_display = not self.show_display

    def _snapshot(self, name: str) -> None:
        self.snapshots_wanted += 1

    def _toggle_help(self, name: str) -> None:
        self.show_help = not self.show_help

    def _quit(self, name: str) -> None:
        self.leave()


def step(values: Sequence[T], value: T, up: bool) -> T:
    """The next larger or smaller of some rising values; the last and the first stay."""
    if up:
        return next((other for other in values if other > value), values[-1])
    return next((other for other in reversed(values) if other < value), values[0])
