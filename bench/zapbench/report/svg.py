# SPDX-License-Identifier: GPL-2.0-only
"""A chart's SVG made small, named, and fit for dark paper.

Colours stay as they were drawn; rules that a dark page applies select by them.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONT = "'DejaVu Sans', Verdana, sans-serif"
LINES = "svg *{stroke-linejoin:round;stroke-linecap:butt}"
DARK = {
    "#000000": "#e6e6e6",
    "#ffffff": "#16181b",
    "#555555": "#b0b0b0",
    "#999999": "#8a8a8a",
    "#eeeeee": "#2c3036",
    "#0072b2": "#4aa3e0",
    "#56b4e9": "#2f7fae",
    "#d55e00": "#ff8a3d",
}
"""What each colour of the charts becomes on dark paper."""
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_LINK = re.compile(r"url\(#([^)]*)\)")
_UNTURNED = re.compile(r"rotate\(-?0( [^)]*)?\)")
_NUMERIC = ("d", "x", "y", "width", "height", "transform", "points", "style")


def dark_rules(scope: str = "svg") -> str:
    """CSS rules that turn the colours; text without a colour is black."""
    rules = [f"{scope} text:not([style*='fill']){{fill:{DARK['#000000']}}}"]
    for color, dark in DARK.items():
        for what in ("fill", "stroke"):
            # Hatches have attributes, all else a style.
            chosen = f"{scope} [style*='{what}: {color}'],{scope} [{what}='{color}']"
            rules.append(f"{chosen}{{{what}:{dark}!important}}")
    return "".join(rules)


def standalone(svg: str) -> str:
    """A chart as a file of its own: with its namespaces, its font and its dark rules."""
    style = (
        f"svg{{background:#fff;font-family:{FONT}}}{LINES}"
        f"@media (prefers-color-scheme:dark){{svg{{background:{DARK['#ffffff']}}}{dark_rules()}}}"
    )
    head, end, rest = svg.partition(">")
    spaces = f' xmlns="{SVG}"' + (f' xmlns:xlink="{XLINK}"' if "xlink:" in rest else "")
    licence = "<!-- SPDX-License-Identifier: GPL-2.0-only -->"
    return f"{licence}\n{head}{spaces}{end}<style>{style}</style>{rest}\n"


def cleaned(text: str, name: str, title: str, said: str) -> str:
    """The <svg> element to stand in a page: with a role, a title and a description.

    ``name`` makes its ids differ from those of the others in the page.
    """
    root = ET.fromstring(text)  # noqa: S314 - drawn by ourselves
    _drop(root)
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
        if key == "transform" and _UNTURNED.fullmatch(short):
            del element.attrib[key]
            continue
        element.set(key, " ".join(short.split()))


def _rounded(found: re.Match[str]) -> str:
    """A length to a hundredth of a point; a factor below 1 to four digits."""
    value = float(found[0])
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.2f}".rstrip("0").rstrip(".")
