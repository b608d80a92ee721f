"""HTML from notebooks, kept to a list of harmless elements: nothing in it can run, load or leave the page by itself."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

VOID = frozenset("br hr img col wbr".split())
# Their content is not text for the reader, so it goes with them.
DROPPED = frozenset("script style iframe object embed applet template noscript title head textarea select".split())
HTML = frozenset(
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure h2 h3 h4 h5 h6 hr i "
    "img ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td tfoot th thead tr ul var "
    "wbr".split()
)
MATHML = frozenset(
    "math mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd "
    "mstyle mpadded mphantom menclose mmultiscripts mprescripts none semantics".split()
)
COMMON = frozenset("class lang title role dir".split())
ATTRIBUTES = {
    "a": frozenset({"href", "data-key"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "div": frozenset({"tabindex", "aria-label"}),
    "ol": frozenset({"start"}),
    "details": frozenset({"open"}),
}
MATHML_ATTRIBUTES = frozenset(
    "display mathvariant stretchy fence separator accent accentunder linethickness columnalign rowspacing columnspacing "
    "columnlines rowlines width height depth lspace rspace minsize maxsize movablelimits displaystyle scriptlevel form "
    "notation".split()
)
# An anchor of the page, a file beside it, or a page of the web that opens only when the reader follows it.
HREF = re.compile(r"^(#[^\s]*|https://[^\s]+|(tables|figures)/[A-Za-z0-9_.\-]+)$")
SRC = re.compile(r"^data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*$")


class _Cleaner(HTMLParser):
    """Writes the allowed elements anew; the rest becomes text or goes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[str] = []
        self.skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.skipping or tag in DROPPED:
            if tag not in VOID and (not self.skipping or tag == self.skipping[0]):
                self.skipping.append(tag)
            return
        if tag not in HTML and tag not in MATHML:
            return
        kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if _allowed(tag, name, value or ""))
        self.parts.append(f"<{tag}{kept}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            return
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag == self.skipping[-1]:
                self.skipping.pop()
            return
        if tag not in self.open:
            return
        while self.open:
            last = self.open.pop()
            self.parts.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.parts.append(html.escape(data, quote=False))

    def finish(self) -> str:
        self.close()
        self.parts.extend(f"</{tag}>" for tag in reversed(self.open))
        return "".join(self.parts)


def clean_html(text: str) -> str:
    """The harmless part of a piece of HTML, balanced.

    Scripts, styles, frames, forms, event attributes, inline styles, ids, and addresses other than anchors of the page,
    the run's own tables and figures, ``https`` links and embedded images are taken out; unknown elements leave their text.
    """
    cleaner = _Cleaner()
    cleaner.feed(text)
    return cleaner.finish()


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag in MATHML:
        return name in MATHML_ATTRIBUTES
    if name == "href":
        return tag == "a" and bool(HREF.match(value))
    if name == "src":
        return tag == "img" and bool(SRC.match(value))
    return name in COMMON or name in ATTRIBUTES.get(tag, frozenset())
