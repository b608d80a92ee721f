"""HTML from notebooks, kept to a list of harmless elements: nothing in it can run, load or leave the page by itself.

nh3 (ammonia) parses the piece as a browser does and writes what is allowed anew; what is allowed stands here.
"""

from __future__ import annotations

import re

import nh3


def words_of(*lines: str) -> set[str]:
    """The words of some lines."""
    return set(" ".join(lines).split())


# Their content is not text for the reader, so it goes with them.
DROPPED = words_of("script style iframe object embed applet template noscript title head textarea select svg")
HTML = words_of(
    "a abbr b br cite code em i kbd mark q s samp small span strong sub sup u var wbr del ins",
    "h2 h3 h4 h5 h6 p div section blockquote pre hr details summary ul ol li dl dt dd figure figcaption img",
    "table caption colgroup col thead tbody tfoot tr th td",
)
MATHML = words_of(
    "math mrow mi mn mo ms mtext mspace mstyle mpadded mphantom menclose msub msup msubsup mfrac msqrt mroot mover",
    "munder munderover mtable mtr mtd mmultiscripts mprescripts none semantics",
)
EVERYWHERE = words_of("class lang title role dir")
ATTRIBUTES = {
    "a": {"href", "data-key"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "div": {"tabindex", "aria-label"},
    "ol": {"start"},
    "details": {"open"},
}
MATHML_ATTRIBUTES = words_of(
    "display displaystyle scriptlevel mathvariant stretchy fence separator form accent accentunder linethickness",
    "lspace rspace minsize maxsize movablelimits columnalign rowspacing columnspacing columnlines rowlines",
    "width height depth notation",
)
ADDRESSES = {
    # An anchor of the page, a file beside it, or a page of the web that opens only when the reader follows it.
    "href": re.compile(r"#\S*|https://\S+|(tables|figures)/[A-Za-z0-9_.\-]+"),
    "src": re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*"),
}


def _keep(_tag: str, name: str, value: str) -> str | None:
    """The value of an attribute that is in the lists, or None for an address of another form."""
    return value if name not in ADDRESSES or ADDRESSES[name].fullmatch(value) else None


CLEANER = nh3.Cleaner(
    tags=HTML | MATHML,
    clean_content_tags=DROPPED,
    attributes=dict.fromkeys(MATHML, MATHML_ATTRIBUTES)
    | {tag: EVERYWHERE | ATTRIBUTES.get(tag, set()) for tag in HTML},
    attribute_filter=_keep,
    url_schemes={"https", "data"},
    link_rel=None,
)


def clean_html(text: str) -> str:
    """The harmless part of a piece of HTML, balanced.

    Scripts, styles, frames, forms, event attributes, inline styles and ids are taken out, and so are addresses other
    than anchors of the page, the run's own tables and figures, ``https`` links and embedded images. Unknown elements
    leave their text.
    """
    return CLEANER.clean(text)
