"""HTML from notebooks, kept to a list of harmless elements: nothing in it can run, load or leave the page by itself."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "col", "wbr"})
# Their content is not text for the reader, so it goes with them.
DROPPED = frozenset(
    {"script", "style", "iframe", "object", "embed", "applet", "template", "noscript", "title", "head", "textarea"}
    | {"select"}
)
HTML = (
    frozenset({"a", "abbr", "b", "br", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "samp", "small", "span"})
    | {"strong", "sub", "sup", "u", "var", "wbr", "del", "ins"}
    | {"h2", "h3", "h4", "h5", "h6", "p", "div", "section", "blockquote", "pre", "hr", "details", "summary"}
    | {"ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "img"}
    | {"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"}
)
MATHML = (
    frozenset({"math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"})
    | {"msub", "msup", "msubsup", "mfrac", "msqrt", "mroot", "mover", "munder", "munderover"}
    | {"mtable", "mtr", "mtd", "mmultiscripts", "mprescripts", "none", "semantics"}
)
COMMON = frozenset({"class", "lang", "title", "role", "dir"})
ATTRIBUTES = {
    "a": frozenset({"href", "data-key"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "div": frozenset({"tabindex", "aria-label"}),
    "ol": frozenset({"start"}),
    "details": frozenset({"open"}),
}
MATHML_ATTRIBUTES = (
    frozenset({"display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "separator", "form"})
    | {"accent", "accentunder", "linethickness", "lspace", "rspace", "minsize", "maxsize", "movablelimits"}
    | {"columnalign", "rowspacing", "columnspacing", "columnlines", "rowlines", "width", "height", "depth", "notation"}
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
        kept = [(name, value or "") for name, value in attrs if _allowed(tag, name, value or "")]
        attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in kept)
        self.parts.append(f"<{tag}{attributes}>")
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

    Scripts, styles, frames, forms, event attributes, inline styles and ids are taken out, and so are addresses other
    than anchors of the page, the run's own tables and figures, ``https`` links and embedded images. Unknown elements
    leave their text.
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
