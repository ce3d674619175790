# SPDX-License-Identifier: GPL-2.0-only
"""A judgement as text for others to read: a file per format, each a function to a string."""

from collections.abc import Callable, Mapping

from zapbench.gate.judgement import Judgement
from zapbench.gate.output import json, junit, ktap, mail, markdown, text

Renderer = Callable[[Judgement], str]

FORMATS: Mapping[str, Renderer] = {
    "text": text.render,
    "markdown": markdown.render,
    "mail": mail.render,
    "junit": junit.render,
    "ktap": ktap.render,
    "json": json.render,
}
SUFFIXES = {
    ".txt": "text",
    ".md": "markdown",
    ".mail": "mail",
    ".xml": "junit",
    ".ktap": "ktap",
    ".json": "json",
}
"""The format that a file's name asks for."""
