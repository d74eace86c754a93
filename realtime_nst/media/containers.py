"""What each kind of video file can hold: which picture codecs, and which of the original's other tracks.

`plan_tracks` decides for each track of an original whether it is copied as it is, converted, or left out; whatever
is not copied untouched is told in words. Nothing here runs anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from realtime_nst.errors import SinkError
from realtime_nst.media.probing import VideoInfo
from realtime_nst.media.results import ending
from realtime_nst.media.stereo import container_mark
from realtime_nst.media.tracks import Track

TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "microdvd", "eia_608", "stl"})
COVERS = frozenset({"mjpeg", "png"})
UNKNOWN = "unknown"
"""The characters of text some lines of which cannot be read."""
UNREADABLE = frozenset({"none", "unknown"})
PCM = frozenset(f"pcm_{name}" for name in ("s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f64le", "u8", "s8"))
LOSSLESS = PCM | {"pcm_alaw", "pcm_mulaw", "flac", "alac"}
"""Codecs in which sound is the same however often it is written."""
MP4_AUDIO = frozenset({"aac", "mp2", "mp3", "ac3", "eac3", "dts", "alac", "opus", "flac"})
MOV_AUDIO = frozenset({"pcm_alaw", "pcm_mulaw", "adpcm_ima_qt"})
STANDARD_TAGS = frozenset(
    {
        *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright", "description"),
        *("synopsis", "grouping", "lyrics", "show", "episode_id", "network", "keywords", "track", "disc", "encoder"),
        *("creation_time", "major_brand", "minor_version", "compatible_brands"),
    }
)
"""Remarks that every MP4 player reads; others go into QuickTime's own table."""


@dataclass(frozen=True)
class Container:
    """A kind of file.

    Args:
        name: What users call it.
        suffixes: Endings of file names.
        format: ffmpeg's name of its writer.
        codecs: Families of picture codecs that it holds, the preferred one first.
        audio: Audio codecs copied as they are; `None` takes any.
        audio_instead: Codec that other sound is converted to; empty leaves sound out.
        subtitles: Subtitle codecs copied as they are.
        subtitles_instead: Codec that other text subtitles are converted to; empty leaves them out.
        cover: How it holds a cover picture: "track", "file" (attached to it), or not at all.
        attachments: Whether it holds attached files, such as fonts.
        flags: More arguments for ffmpeg's writer.
    """

    name: str
    suffixes: tuple[str, ...]
    format: str
    codecs: tuple[str, ...]
    audio: frozenset[str] | None = frozenset()
    audio_instead: str = ""
    subtitles: frozenset[str] = frozenset()
    subtitles_instead: str = ""
    cover: str = ""
    attachments: bool = False
    flags: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """It holds pictures and nothing else."""
        return not self.audio_instead


MP4 = Container(
    name="mp4",
    suffixes=(".mp4", ".m4v"),
    format="mp4",
    codecs=("h264", "hevc", "av1", "vp9"),
    audio=MP4_AUDIO,
    audio_instead="aac",
    subtitles=frozenset({"mov_text"}),
    subtitles_instead="mov_text",
    cover="track",
)
MOV = Container(
    name="mov",
    suffixes=(".mov",),
    format="mov",
    codecs=("h264", "hevc", "prores"),
    audio=(MP4_AUDIO | MOV_AUDIO | PCM) - {"opus", "flac"},
    audio_instead="aac",
    subtitles=frozenset({"mov_text"}),
    subtitles_instead="mov_text",
)
MKV = Container(
    name="mkv",
    suffixes=(".mkv",),
    format="matroska",
    codecs=("h264", "hevc", "av1", "vp9", "prores", "ffv1"),
    audio=None,
    audio_instead="flac",
    subtitles=frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}),
    subtitles_instead="subrip",
    cover="file",
    attachments=True,
)
WEBM = Container(
    name="webm",
    suffixes=(".webm",),
    format="webm",
    codecs=("vp9", "av1"),
    audio=frozenset({"opus", "vorbis"}),
    audio_instead="libopus",
    subtitles=frozenset({"webvtt"}),
    subtitles_instead="webvtt",
)
GIF = Container(name="gif", suffixes=(".gif",), format="gif", codecs=("png",))
PNG = Container(name="png", suffixes=(".png",), format="image2", codecs=("png",))
CONTAINERS = (MP4, MOV, MKV, WEBM, GIF, PNG)
PIPE = "-"
NUMBER = re.compile(r"%(\d*)d")
"""The place for the number in the name of a picture."""
BIBLIOGRAPHIC = {"deu": "ger", "nld": "dut", "zho": "chi", "ell": "gre", "isl": "ice"}
"""Other codes of the same languages (ISO 639-2)."""


def container_of(path: Path) -> Container:
    """The kind of file that a name stands for; `-` is a pipe and carries Matroska.

    Raises:
        SinkError: Its ending names none.
    """
    if str(path) == PIPE:
        return MKV
    for container in CONTAINERS:
        if path.suffix.lower() in container.suffixes:
            if container is PNG and numbered(path, 1) == numbered(path, 2):
                raise SinkError(
                    f"'{path}' is one picture; a video needs many. Write a number into the name, as in 'out-%06d.png'."
                )
            return container
    known = ", ".join(suffix for container in CONTAINERS for suffix in container.suffixes)
    raise SinkError(f"'{path}' {ending(path)}; {known} were expected. Choose another name.")


def numbered(path: Path, number: int) -> Path:
    """The name of a picture of a sequence: `%06d` or the like is replaced by its number."""
    parts = NUMBER.split(path.name)
    if len(parts) != 3:
        return path
    before, digits, after = parts
    return path.with_name(f"{before}{number:0{int(digits or 0)}d}{after}")


def numbers_there(path: Path) -> dict[int, Path]:
    """The pictures of a sequence that exist, by number."""
    found = {number: file for file in path.parent.glob("*") if (number := _number_of(file, path)) is not None}
    return {number: found[number] for number in sorted(found)}


def is_of(file: Path, path: Path) -> bool:
    """Whether a name is that of a picture of a sequence."""
    return _number_of(file, path) is not None and file.parent.absolute() == path.parent.absolute()


def _number_of(file: Path, path: Path) -> int | None:
    parts = NUMBER.split(path.name)
    match = re.fullmatch(f"{re.escape(parts[0])}(\\d+){re.escape(parts[2])}", file.name) if len(parts) == 3 else None
    return int(match[1]) if match and numbered(path, int(match[1])).name == file.name else None


@dataclass(frozen=True)
class TrackPlan:
    """What happens to the tracks of an original.

    Args:
        arguments: For ffmpeg: the painted picture is input 0, the original 1, and tracks written anew come after it.
        notices: What does not come along untouched, in words.
        kept: The tracks that come along, each with `copy` or the codec that it is converted to.
        covers: Pictures among them that must be attached as files.
    """

    arguments: tuple[str, ...]
    notices: tuple[str, ...]
    kept: tuple[tuple[Track, str], ...]
    covers: tuple[Track, ...] = ()


def plan_tracks(info: VideoInfo, container: Container, *, instead: Mapping[int, str] | None = None) -> TrackPlan:
    """Decide what comes along.

    Args:
        info: The original.
        container: The kind of file that is written.
        instead: What trials have found: the codec for tracks that cannot be copied, by number; empty leaves one out.
    """
    arguments: list[str] = []
    kept: list[tuple[Track, str]] = []
    covers: list[Track] = []
    unheld, in_pieces = f"{container.name} cannot hold it", "an edit list leaves out parts of it"
    converted: dict[str, list[str]] = {unheld: [], in_pieces: []}
    left: dict[str, list[str]] = {}
    number, anew = 0, [track.index for track in info.tracks if track.rewritten]
    for track in info.tracks:
        if track.index == info.picture:
            continue
        codec = (instead or {}).get(track.index, codec_for(track, container))
        reason = in_pieces if _as_it_is(track, container) and _in_pieces(track, container) else unheld
        if not codec:
            left.setdefault(_lacking(track) or reason, []).append(str(track))
            continue
        kept.append((track, codec))
        if track.cover and container.cover == "file":
            covers.append(track)
            continue
        number += 1
        source = f"{anew.index(track.index) + 2}:0" if track.rewritten else f"1:{track.index}"
        arguments += track_arguments(track, codec, container, number, source)
        if codec != "copy":
            becomes = "is encoded anew" if codec.endswith(track.codec) else f"becomes {codec.removeprefix('lib')}"
            converted[reason].append(f"{track} {becomes}")
    notices = []
    for what, reasons in (("Converted", converted), ("Left out", left)):
        notices += [f"{what}, because {reason}: {', '.join(words)}." for reason, words in reasons.items() if words]
    moved = [str(track) for track, _ in kept if track.kind == "subtitle" and track.in_parts]
    moved += ["chapters"] if info.chapters and not container.silent and any(track.in_parts for track in info.tracks) else []
    if moved:  # ffmpeg puts neither where such a list has them
        notices.append(f"Perhaps at other times than before, because {in_pieces}: {', '.join(moved)}.")
    for charset in sorted({track.charset for track, _ in kept if track.charset}):
        words = ", ".join(str(track) for track, _ in kept if track.charset == charset)
        if charset != UNKNOWN:
            notices.append(f"Read as {charset}, because it is not UTF-8: {words}.")
        else:
            notices.append(f"Left out, because they are not UTF-8: lines of {words}. A file of the original's kind keeps them.")
    if container.silent and (info.chapters or _own_remarks(info)):
        notices.append(f"Left out, because {container.name} cannot hold it: chapters and remarks.")
    elif container.cover == "track" and any(track.cover for track, _ in kept) and _own_remarks(info):
        notices.append(f"Left out, because {container.name} cannot hold it beside a cover: {', '.join(_own_remarks(info))}.")
    if info.captions:
        notices.append("Left out, because it is hidden inside the picture: closed captions.")
    return TrackPlan((*arguments, *_remarks(info, container)), tuple(notices), tuple(kept), tuple(covers))


OPUS_LAYOUTS = "mono|stereo|3.0|quad|5.0|5.1|6.1|7.1"
IN_STEP = "aresample=async=1:min_hard_comp=0.01,atrim=start=0"
"""A filter that begins each piece of sound at its time: pieces are whole packets, each a little too long."""
COUNTED = ("BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES")
STALE = ("encoder", "alpha_mode", *COUNTED, *(f"{name}-eng" for name in COUNTED))
"""Remarks on the original's picture that are not true of the painted one."""


def track_arguments(track: Track, codec: str, container: Container, number: int, source: str) -> list[str]:
    """Arguments that take a track along.

    Args:
        track: Which.
        codec: `copy`, or what to convert it to.
        container: The kind of file that is written.
        number: Of the track in that file.
        source: Where it is taken from, in ffmpeg's words; what is said of it is in the original.
    """
    arguments = ["-map", source, f"-c:{number}", codec]
    arguments += [f"-map_metadata:s:{number}", f"{0 if source.startswith('0:') else 1}:s:{track.index}"]
    arguments += [f"-disposition:{number}", "+".join(track.roles) or "0"] if track.rewritten else []
    if track.kind == "video":  # the painted picture is the one to be played
        arguments += [f"-disposition:{number}", "attached_pic" if track.cover else "-default"]
    if container is MOV and track.language in BIBLIOGRAPHIC:  # QuickTime's own table has only these names
        arguments += [f"-metadata:s:{number}", f"language={BIBLIOGRAPHIC[track.language]}"]
    filters = [IN_STEP] if track.kind == "audio" and track.in_parts and codec != "copy" else []
    if codec == "libopus":  # it refuses 5.1 with speakers at the sides, as AC-3 and DTS have it, and others
        filters.append(f"aformat=channel_layouts={OPUS_LAYOUTS}")
    arguments += [f"-filter:{number}", ",".join(filters)] if filters else []
    return [*arguments, f"-b:{number}", "192k"] if codec in ("aac", "libopus") else arguments


def conversion(track: Track, container: Container) -> str:
    """The codec that a track is converted to where it cannot be copied; empty where there is none."""
    if track.kind == "audio":
        return container.audio_instead
    return container.subtitles_instead if track.kind == "subtitle" and track.codec in TEXT_SUBTITLES else ""


def codec_for(track: Track, container: Container) -> str:
    """`copy`, a codec to convert to, or nothing for a track that is left out."""
    if track.kind == "attachment":
        return "copy" if container.attachments else ""
    if _lacking(track) or track.codec in UNREADABLE:
        return ""
    if not _as_it_is(track, container):
        return conversion(track, container)
    if not _in_pieces(track, container):
        return "copy"
    return track.codec if track.codec in LOSSLESS else conversion(track, container)


def _as_it_is(track: Track, container: Container) -> bool:
    """Whether a kind of file holds a track untouched."""
    if track.kind == "audio":
        return not container.silent and (container.audio is None or track.codec in container.audio)
    if track.kind == "subtitle":
        return track.codec in container.subtitles
    if track.kind == "video" and track.cover:
        return bool(container.cover) and track.codec in COVERS
    # a second angle
    return track.kind == "video" and (container is MKV or (container is MP4 and track.codec in ("h264", "hevc", "av1")))


def _in_pieces(track: Track, container: Container) -> bool:
    """Whether a copy of a track would not be what is played of it.

    Matroska takes sound before the beginning for a delay of the codec, which silences as much wherever a part begins.
    """
    if track.kind == "subtitle":
        return False
    return track.cut or (track.late and container.format in ("matroska", "webm"))


def _lacking(track: Track) -> str:
    """Why nobody can use a track, whatever the container; empty for others."""
    return "it is encrypted" if track.locked else "nothing is in it" if track.empty else ""


def _remarks(info: VideoInfo, container: Container) -> list[str]:
    """Arguments that carry remarks and chapters along."""
    if container.silent:
        return []
    arguments = ["-map_metadata", "1", "-map_chapters", "1", "-map_metadata:s:v:0", f"1:s:{info.picture}"]
    for stale in STALE:
        arguments += ["-metadata:s:v:0", f"{stale}="]
    arguments += container_mark(info.stereo, container.format)
    if container.format in ("mp4", "mov"):
        cover = container.cover == "track" and any(track.cover for track in info.tracks)
        table = "" if cover or not _own_remarks(info) else "+use_metadata_tags"
        arguments += ["-movflags", f"+faststart{table}"]
    return arguments


def _own_remarks(info: VideoInfo) -> list[str]:
    """Names of remarks that not every player knows."""
    return [tag for tag in info.tags if tag.lower() not in STANDARD_TAGS]
