# SPDX-License-Identifier: GPL-2.0-only
"""A chart's SVG made small, named, and fit for light and dark paper.

What was drawn in a role (`zapbench.chart.palette`) has its class in place of colours, which the
rules of the page, or of a file of its own, give it.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from zapbench.chart.palette import INK, PAINTS, PAPER

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONT = "'DejaVu Sans', Verdana, sans-serif"
LINES = "svg *{stroke-linejoin:round;stroke-linecap:butt}"
Role = dict[str, str]  # classes, by what they colour: fill or stroke
_AXES = {"stroke": f"stroke-{INK.name}"}  # spines and ticks have no role of their own
_COLOR = re.compile(r"(fill|stroke): #[0-9a-f]{6}(?:; )?")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_LINK = re.compile(r"url\(#([^)]*)\)")
_UNTURNED = re.compile(r"rotate\(-?0( [^)]*)?\)")
_NUMERIC = ("d", "x", "y", "width", "height", "transform", "points", "style")


def rules(*, dark: bool = False) -> str:
    """CSS of the classes, on dark paper of those that turn; text without one is ink.

    No rule names an ancestor: what <use> shows has none.
    """
    colors = {paint.name: paint.dark if dark else paint.light for paint in PAINTS}
    return f"svg{{fill:{colors[INK.name]}}}" + "".join(
        f".fill-{name}{{fill:{color}}}.stroke-{name}{{stroke:{color}}}"
        for name, color in colors.items()
        if color
    )


def standalone(svg: str) -> str:
    """A chart as a file of its own: with its namespaces, its font and its rules."""
    style = (
        f"svg{{background:{PAPER.light};font-family:{FONT}}}{LINES}{rules()}"
        f"@media (prefers-color-scheme:dark){{svg{{background:{PAPER.dark}}}{rules(dark=True)}}}"
    )
    head, end, rest = svg.partition(">")
    spaces = f' xmlns="{SVG}"' + (f' xmlns:xlink="{XLINK}"' if "xlink:" in rest else "")
    licence = "<!-- SPDX-License-Identifier: GPL-2.0-only -->"
    return f"{licence}\n{head}{spaces}{end}<style>{style}</style>{rest}\n"


def cleaned(text: str, name: str, title: str, said: str) -> str:
    """The <svg> element for a page: with a role, a title and a description.

    ``name`` makes its ids differ from those of the others in the page.
    """
    root = ET.fromstring(text)  # noqa: S314 - drawn by ourselves
    _drop(root)
    _classify(root, _AXES, {})
    used = set(_referred(root))
    for element in root.iter():
        _shorten(element, name, used)
    _flatten(root)
    for key in ("version", "width", "height"):
        root.attrib.pop(key, None)
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": f"width:{width * 4 / 3:.0f}px",
    }
    for position, (tag, words) in enumerate((("title", title), ("desc", said))):
        element = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = words
        root.insert(position, element)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    made = ET.tostring(root, encoding="unicode")
    return re.sub(r' xmlns(?::xlink)?="[^"]*"', "", made).replace("\n", "")


def _drop(root: ET.Element) -> None:
    """Remove metadata, the general style, the white ground, and groups that hold nothing."""
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata" or child.find(f"{{{SVG}}}style") is not None:
            root.remove(child)
    figure = next((child for child in root if child.get("id", "").startswith("figure")), None)
    if figure is not None and len(figure) and figure[0].get("id") == "patch_1":
        figure.remove(figure[0])


def _classify(element: ET.Element, role: Role, hatches: dict[str, Role]) -> None:
    """Give what ``element`` holds the classes of its role in place of colours.

    ``hatches`` gathers the roles of what is hatched, by pattern; the patterns come last.
    """
    if "class" in element.attrib:
        role = {name.partition("-")[0]: name for name in element.attrib.pop("class").split()}
    role = hatches.get(element.get("id", ""), role)
    style = element.get("style", "")
    hatches |= dict.fromkeys(_LINK.findall(style), role)
    # Black text has no colour, and may have a role.
    painted = ["fill"] if element.tag == f"{{{SVG}}}text" else _COLOR.findall(style)
    if chosen := [role[what] for what in painted if what in role]:
        element.set("class", " ".join(chosen))
        element.set("style", _COLOR.sub(lambda found: "" if found[1] in role else found[0], style))
    for child in element:
        _classify(child, role, hatches)


def _flatten(element: ET.Element) -> None:
    """Take groups away that say nothing of what they hold."""
    children: list[ET.Element] = []
    for child in element:
        _flatten(child)
        plain = child.tag == f"{{{SVG}}}g" and not child.attrib
        children += list(child) if plain else [child]
    element[:] = children


def _referred(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        link = element.get(f"{{{XLINK}}}href")
        if link is not None:
            yield link.lstrip("#")
        for value in element.attrib.values():
            yield from _LINK.findall(value)


def _shorten(element: ET.Element, name: str, used: set[str]) -> None:
    if element.text is not None and not element.text.strip():
        element.text = None
    if element.tail is not None and not element.tail.strip():
        element.tail = None
    own = element.attrib.pop("id", None)
    if own in used:
        element.set("id", f"{name}-{own}")
    link = element.get(f"{{{XLINK}}}href")
    if link is not None:
        element.set(f"{{{XLINK}}}href", f"#{name}-{link.lstrip('#')}")
    for key, value in list(element.attrib.items()):
        short = _LINK.sub(rf"url(#{name}-\1)", value)
        if key in _NUMERIC:
            short = _NUMBER.sub(_rounded, short)
        if key == "style":
            short = _FAMILY.sub("", short).strip().rstrip(";")
        if not short or (key == "transform" and _UNTURNED.fullmatch(short)):
            del element.attrib[key]
            continue
        element.set(key, " ".join(short.split()))


def _rounded(found: re.Match[str]) -> str:
    """A length to a hundredth of a point; a factor below 1 to four digits."""
    value = float(found[0])
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.2f}".rstrip("0").rstrip(".")
