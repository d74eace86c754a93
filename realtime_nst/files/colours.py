"""Colours of video: from any YCbCr into the program's RGB, and from there into what a file says it holds.

The same matrix is used on the way in and on the way out, and written into the file, so that a picture that is
not painted comes back as it was. High dynamic range is tone-mapped to BT.709. Nothing here runs anything: it
writes ffmpeg's filters.
"""

from dataclasses import dataclass

MATRICES = {"bt709", "smpte170m", "bt470bg", "bt2020nc", "smpte240m", "fcc"}
"""Matrices that ffmpeg's scaler converts both ways; anything else comes out as BT.709."""
HDR_TRANSFERS = {"smpte2084": "PQ (HDR10)", "arib-std-b67": "HLG"}
UNKNOWN = ("", "unknown", "unspecified", "reserved", "gbr")
HD_WIDTH, HD_HEIGHT = 1280, 720
"""From this size on, players take untagged video for BT.709; below, for BT.601."""
PEAK_WHITE = 203
"""Luminance of white in nits, as BT.2408 recommends for HDR."""


@dataclass(frozen=True)
class Colours:
    """What a file says about its colours, in ffmpeg's names; empty where it says nothing.

    Args:
        matrix: From RGB to YCbCr.
        primaries: What red, green and blue are.
        transfer: What a value means as light.
        full_range: Black is 0 and white 255, instead of 16 and 235.
    """

    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    full_range: bool = False

    @property
    def hdr(self) -> str:
        """The name of the HDR format, empty without one."""
        return HDR_TRANSFERS.get(self.transfer, "")

    def resolved(self, width: int, height: int) -> "Colours":
        """How players show it: an unknown matrix is guessed from the size, as all of them do."""
        if self.matrix in MATRICES:
            return self
        guess = "bt709" if width >= HD_WIDTH or height >= HD_HEIGHT else "smpte170m"
        return Colours(guess, self.primaries, self.transfer, self.full_range)

    def written(self, width: int, height: int) -> "Colours":
        """What the painted file gets: limited range, the matrix of the original, BT.709 for what was HDR."""
        if self.hdr or self.matrix not in (*MATRICES, *UNKNOWN):
            return Colours("bt709", "bt709", "bt709")
        if self.matrix == "gbr":
            return Colours("bt709", self.primaries, self.transfer)
        kept = self.resolved(width, height)
        return Colours(kept.matrix, kept.primaries, kept.transfer)


def to_rgb(colours: Colours, width: int, height: int) -> str:
    """Filters from decoded pictures to RGB of a size.

    Args:
        colours: What the file says.
        width: Width of the result in pixels.
        height: Height of the result in pixels.
    """
    if colours.hdr:
        matrix = colours.matrix if colours.matrix in MATRICES else "bt2020nc"
        tags = (
            f"setparams=colorspace={matrix}:color_primaries={_known(colours.primaries) or 'bt2020'}:color_trc={colours.transfer}"
        )
        linear = f"zscale=transfer=linear:npl={PEAK_WHITE},format=gbrpf32le,zscale=primaries=bt709"
        return f"{tags},{linear},tonemap=hable:desat=0,zscale=transfer=bt709,scale={width}:{height}"
    matrix = colours.resolved(width, height).matrix
    known = f":in_color_matrix={matrix}" if colours.matrix not in ("gbr", *MATRICES) else ""
    return f"scale={width}:{height}{known}"


def on_white() -> str:
    """Filters that lay transparent pictures on white, as a page would."""
    return "format=gbrap,split[a][b];[b]drawbox=color=white:t=fill:replace=1[c];[c][a]overlay=format=gbrp"


def from_rgb(colours: Colours) -> str:
    """Filters from RGB to pictures that a file holds with these tags."""
    parts = [f"colorspace={colours.matrix}", "range=tv"]
    if primaries := _known(colours.primaries):
        parts.append(f"color_primaries={primaries}")
    if transfer := _known(colours.transfer):
        parts.append(f"color_trc={transfer}")
    return f"scale=out_color_matrix={colours.matrix}:out_range=tv,setparams={':'.join(parts)}"


def _known(name: str) -> str:
    return "" if name in UNKNOWN else name
