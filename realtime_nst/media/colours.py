"""Colours of video: from any YCbCr into the program's RGB, and from there into what a file says it holds.

The same matrix is used on the way in and on the way out, and written into the file, so that a picture that is
not painted comes back as it was. High dynamic range is tone-mapped to BT.709. Nothing here runs anything: it
writes ffmpeg's filters.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction

MATRICES = {"bt709", "smpte170m", "bt470bg", "bt2020nc", "smpte240m", "fcc"}
"""Matrices that ffmpeg's scaler converts both ways; anything else comes out as BT.709."""
ZSCALED = {"ycgco": "", "bt2020c": "bt2020-10", "chroma-derived-nc": ""}
"""Matrices that only `zscale` knows, and the transfer that it takes where the file does not say."""
HDR_TRANSFERS = {"smpte2084": "PQ (HDR10)", "arib-std-b67": "HLG"}
UNKNOWN = ("", "unknown", "unspecified", "reserved", "gbr")
HD_WIDTH, HD_HEIGHT = 1280, 720
"""From this size on, players take untagged video for BT.709; below, for BT.601."""
EXACTLY = ":flags=bicubic+accurate_rnd+full_chroma_int"
"""Without these the scaler takes colours of ten and more bits for darker by up to two of 255 levels."""
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
        guess: What an unknown matrix is taken for; by the size of the original, whatever size is written.
    """

    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    full_range: bool = False
    guess: str = field(default="", compare=False)

    @property
    def hdr(self) -> str:
        """The name of the HDR format, empty without one."""
        return HDR_TRANSFERS.get(self.transfer, "")

    @property
    def guessed(self) -> bool:
        """Whether it names a matrix that nothing here converts."""
        return not self.hdr and self.matrix not in (*MATRICES, *ZSCALED, *UNKNOWN)

    @property
    def resolved(self) -> "Colours":
        """How players show it: an unknown matrix is guessed from the size, as all of them do."""
        return self if self.matrix in MATRICES else replace(self, matrix=self.guess or "bt709")

    @property
    def written(self) -> "Colours":
        """What the painted file gets: limited range, the matrix of the original, BT.709 for what was HDR."""
        if self.hdr or self.matrix not in (*MATRICES, *UNKNOWN):
            return Colours("bt709", "bt709", "bt709")
        if self.matrix == "gbr":
            return Colours("bt709", self.primaries, self.transfer)
        kept = self.resolved
        return Colours(kept.matrix, kept.primaries, kept.transfer)


def guess_for(width: int, height: int) -> str:
    """The matrix that players take untagged video of a size for."""
    return "bt709" if width >= HD_WIDTH or height >= HD_HEIGHT else "smpte170m"


def to_rgb(
    colours: Colours, width: int, height: int, *, shape: Fraction = Fraction(0), odd: bool = False, deep: bool = False
) -> str:
    """Filters from decoded pictures to RGB of a size.

    Args:
        colours: What the file says.
        width: Width of the result in pixels.
        height: Height of the result in pixels.
        shape: Width over height, as they are shown, of pictures that fill the result. Others that come on the way are
            fitted into it, and need margins; 0 stretches them.
        odd: Whether the decoded pictures have an odd number of columns or lines.
        deep: Whether their colours have more than eight bits.
    """
    size = f"{width}:{height}"
    if shape:
        wide, high = f"dar*{shape.denominator}/{shape.numerator}", f"{shape.numerator}/({shape.denominator}*dar)"
        size = f"w='trunc({width}*min(1,{wide})+0.5)':h='trunc({height}*min(1,{high})+0.5)'"
    if colours.hdr:
        return f"{_sdr(colours, odd)},scale={size}"
    if colours.matrix in ZSCALED:
        transfer = _known(colours.transfer) or ZSCALED[colours.matrix]
        tags = f"setparams=colorspace={colours.matrix}" + (f":color_trc={transfer}" if transfer else "")
        whole = f"setparams=colorspace=bt709,format=yuv444p,{tags}"  # zscale takes no odd sizes of 4:2:0
        return f"{whole},zscale=matrix=gbr:range=pc,format=gbrp,scale={size}"
    guess = colours.resolved.matrix
    size += EXACTLY if deep else ""
    if colours.matrix in ("gbr", *MATRICES):
        return f"scale={size}"
    told = "" if colours.matrix in UNKNOWN else f"setparams=colorspace={guess},"  # what the scaler does not know it refuses
    return f"{told}scale={size}:in_color_matrix={guess}"


def _sdr(colours: Colours, odd: bool) -> str:
    """Filters from high dynamic range to BT.709."""
    matrix = colours.matrix if colours.matrix in MATRICES else "bt2020nc"
    tags = f"color_primaries={_known(colours.primaries) or 'bt2020'}:color_trc={colours.transfer}"
    if colours.matrix != "gbr":
        tags = f"colorspace={matrix}:{tags}"
    whole = "format=yuv444p12le," if odd and colours.matrix != "gbr" else ""  # zscale takes no odd sizes of 4:2:0
    linear = f"zscale=transfer=linear:npl={PEAK_WHITE},format=gbrpf32le,zscale=primaries=bt709"
    return f"setparams={tags},{whole}{linear},tonemap=hable:desat=0,zscale=transfer=bt709"


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
