"""What the user wants now. Keys on the main thread and messages on others change it; the stylizing thread reads.

Every field is replaced in one step, so reading needs no lock; changes come one after another. What can be done is in
`actions.py`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from realtime_nst.errors import ControlError, StyleError
from realtime_nst.live.actions import ACTIONS, action_named
from realtime_nst.live.keys import KEYS
from realtime_nst.live.kinds import LESS, MORE
from realtime_nst.live.settings import FADE_SECONDS, Settings
from realtime_nst.style.book import StyleBook
from realtime_nst.style.crossfade import blend
from realtime_nst.style.mixing import mix_name
from realtime_nst.style.style import Style

NOTICE_SECONDS = 2.0


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
        self.texture = start.texture
        self.follow_camera = start.follow_camera
        self.stability = start.stability
        self.scale = start.scale
        self.fade = start.fade
        self.fade_seconds = start.fade or FADE_SECONDS
        """Seconds of a fade, when it fades."""
        self.mirror = start.mirror
        self.show_display = start.display
        self.balance = 0.0
        self.wipe = start.wipe
        self.full_screen = False
        self.recording = False
        self.refining = False
        self.paused = False
        self.watched = True
        """Whether anyone takes the frames; a window out of sight does not."""
        self.quit = False
        self.show_help = False
        self.snapshots_wanted = 0
        self.changes = 0
        self.chosen: dict[str, Any] = {}
        """What later shows start with, by the names of `Settings`: what keys set, however this show began."""
        self.other = self.styles[(self.position + 1) % len(self.styles)]
        """The style that is mixed in: the one before, unless another was chosen."""
        self.cycle_seconds = start.cycle
        self._next_change = 0.0
        self._clock = clock
        self._notice: tuple[str, float] = ("", 0.0)
        self._changing = threading.RLock()
        self._listeners: list[Callable[[dict[str, Any]], object]] = []
        self._told: dict[str, Any] = {}
        self._cycle(start.cycling)

    def press(self, name: str | None) -> None:
        """Do what a key means; an unknown key or `None` does nothing. What cannot be done is said in the window."""
        for key in KEYS:
            if name is not None and name in key.names:
                try:
                    self.do(key.action, key.values[key.names.index(name)])
                except ControlError as error:
                    self.say(str(error))

    def do(self, name: str, value: object = None) -> None:
        """Do an action. Any thread may ask.

        Args:
            name: Of a row of `actions.ACTIONS`.
            value: One that it takes; `None` means what comes next.

        Raises:
            ControlError: There is no such action, or it takes no such value; nothing is changed then.
        """
        action = action_named(name)
        with self._changing:
            before = asdict(self.settings)
            wanted = action.read(value, getattr(self, action.attribute, None))
            change = getattr(self, f"_do_{name}", None)
            if change is not None:
                change(wanted)
            else:
                setattr(self, action.attribute, wanted)
            if action.words is not None:
                self.say(action.words(wanted))
            self.keep(setting for setting, now in asdict(self.settings).items() if now != before[setting])
            self.changes += 1
            self._tell()

    def add(self, style: Style, *, use: bool = True) -> None:
        """Have a further style, the last, or in the place of one of its name; paint in it if wished, or if that one is used."""
        with self._changing:
            there = any(other.name == style.name for other in self.styles)
            styles = [style if other.name == style.name else other for other in self.styles]
            self.styles = styles if there else [*styles, style]
            if use or style.name == self.style.name:
                self._use(style)
            else:
                self.say(f"{len(self.styles)}  {style.name} is new")
            self.changes += 1
            self._tell()

    def renew(self, style: Style) -> bool:
        """Have a style in the place of that of the same picture, wherever that is used; False where it no longer is."""

        def newer(known: Style) -> Style:
            return style if known.picture is style.picture else known

        with self._changing:
            there = any(known.picture is style.picture for known in (*self.styles, self.style, self.other))
            self.styles = [newer(known) for known in self.styles]
            self.style, self.other = newer(self.style), newer(self.other)
            self._mix(self.balance)
            return there

    def drop(self, name: str) -> None:
        """Have a style no longer, unless it is the only one; where it is painted in, that goes on until another is chosen."""
        with self._changing:
            self.styles = [style for style in self.styles if style.name != name] or self.styles
            self.changes += 1
            self._tell()

    def tick(self) -> None:
        """Let time do what it should: change the style when its turn is over, and tell listeners what else has changed."""
        with self._changing:
            if self.cycling and not self.idle and self._clock() >= self._next_change:
                self._next_change = self._clock() + self.cycle_seconds
                self._use(self.styles[(self.position + 1) % len(self.styles)])
                self.changes += 1
            self._tell()

    def listen(self, heard: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
        """Be told of each change, whoever made it.

        Args:
            heard: Called with the new `state`, on the thread that changed it, so it must return at once.

        Returns:
            What ends it.
        """
        with self._changing:
            self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    @property
    def state(self) -> dict[str, Any]:
        """What is set now: `actions` by name, the style that is `painting`, and what is said for a moment, the `notice`."""
        with self._changing:
            values = {action.name: action.shown(getattr(self, action.attribute, None)) for action in ACTIONS}
            actions = {name: value for name, value in values.items() if value is not None}
            return {"actions": actions, "painting": self.target.name, "notice": self.notice}

    def _tell(self) -> None:
        """Tell the listeners, if anything is other than they know."""
        if self._listeners and (state := self.state) != self._told:
            self._told = state
            for heard in list(self._listeners):
                heard(state)

    def keep(self, names: Iterable[str]) -> None:
        """Have these settings remembered as they are now."""
        settings = asdict(self.settings)
        self.chosen.update((name, settings[name]) for name in names)

    def leave(self) -> None:
        """Ask to quit."""
        self.quit = True

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
    def fading(self) -> bool:
        """Whether one style fades into the next."""
        return self.fade > 0.0

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
            texture=self.texture,
            follow_camera=self.follow_camera,
            stability=self.stability,
            scale=self.scale,
            fade=self.fade,
            cycle=self.cycle_seconds,
            mirror=self.mirror,
            display=self.show_display,
            cycling=self.cycling,
            wipe=self.wipe,
        )

    def _do_style(self, wanted: str | int) -> None:
        self._use(self._style(wanted, self.position + 1))
        self.keep(["style"])  # also if it is there already: this one is wanted

    def _do_next(self, way: str) -> None:
        if way:
            place = max(self.position, 0) - 1 if way == LESS else self.position + 1
            self._use(self.styles[place % len(self.styles)])

    def _do_other(self, wanted: str | int) -> None:
        names = [style.name for style in self.styles]
        following = (names.index(self.other.name) if self.other.name in names else -1) + 1
        following += following % len(names) == self.position  # it does not mix with itself
        other, before = self._style(wanted, following), self.other
        self.other = other
        try:
            self._mix(self.balance)
        except ControlError:
            self.other = before
            raise
        self.say(f"mixed with {other.name}")

    def _do_mix(self, balance: float) -> None:
        self._mix(balance)
        self.say(f"{1 - self.balance:.0%} {self.style.name}   {self.balance:.0%} {self.other.name}")

    def _do_cycle(self, on: bool) -> None:
        self._cycle(on)
        if not on:
            self.keep(["style"])  # that of this moment was chosen, by letting it stay
        self.say(f"another style every {self.cycle_seconds:g} s" if on else "this style stays")

    def _do_cycle_seconds(self, seconds: float) -> None:
        self.cycle_seconds = seconds
        self._cycle(self.cycling)
        self.say(f"another style every {seconds:g} s")

    def _do_fade(self, on: bool) -> None:
        self.fade = self.fade_seconds if on else 0.0
        self._say_fade()

    def _do_fade_seconds(self, seconds: float) -> None:
        self.fade = self.fade_seconds = seconds
        self._say_fade()

    def _do_record(self, on: bool) -> None:
        self.recording = on
        if on and self.paused:
            self.say("recording begins when you go on")

    def _do_snapshot(self, wanted: bool) -> None:
        self.snapshots_wanted += wanted

    def _do_quit(self, wanted: bool) -> None:
        if wanted:
            self.leave()

    def _say_fade(self) -> None:
        self.say(f"fade to the next style over {self.fade:g} s" if self.fade else "cut to the next style")

    def _cycle(self, on: bool) -> None:
        self.cycling = on
        self._next_change = self._clock() + self.cycle_seconds

    def _style(self, wanted: str | int, following: int) -> Style:
        """A style by name or number, or a mix; or the one at the place that follows, from 0, which may be past the end."""
        if wanted == MORE:
            return self.styles[following % len(self.styles)]
        if isinstance(wanted, int):
            if not 1 <= wanted <= len(self.styles):
                raise ControlError(f"There is no style of this number, only 1 to {len(self.styles)}.")
            return self.styles[wanted - 1]
        if wanted == self.style.name:  # it may be a mix whose parts are not among the styles
            return self.style
        try:
            return StyleBook(self.styles).mix(wanted)
        except StyleError as error:
            raise ControlError(str(error)) from error

    def _use(self, chosen: Style) -> None:
        if chosen.name != self.style.name:
            self.other = self.style
        self.style = self.target = chosen
        self.balance = 0.0
        self._next_change = max(self._next_change, self._clock() + self.cycle_seconds)
        self.say(f"{self.position + 1}  {chosen.name}" if self.position >= 0 else chosen.name)

    def _mix(self, balance: float) -> None:
        """Paint in the style, with so much of the other one."""
        style, other = self.style, self.other
        if balance and (other.name == style.name or other.body.sha256 != style.body.sha256):
            raise ControlError(f"{style.name} and {other.name} do not mix.")
        mix = replace(blend(style, other, balance), name=mix_name(style.name, other.name, balance)) if balance else style
        self.balance, self.target = balance, mix
