"""Cut a text into what a person would call its words: ids, dates, addresses, names, numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from urllib.parse import quote

Tokens = re.Pattern[str]
Token = re.Match[str]

_SHAPES = r"""
    (?= [0-9a-fA-F:] ) (?:
        (?P<guid> (?<![^\W_]) [0-9a-fA-F]{8} (?:-[0-9a-fA-F]{4}){3} -[0-9a-fA-F]{12} (?![^\W_]) )
      | (?P<day> (?<!\d) (?:19|20)\d\d-\d\d-\d\d (?: T00:00:00Z | (?![\dT]|\x20\d\d:) ) )
      | (?P<moment> (?<!\d) \d{4}-\d\d-\d\d [T\x20] \d\d:\d\d:\d\d (?:\.\d+)? (?:Z|[+-]\d\d:?\d\d)? )
      | (?P<span> (?<![\d:.]) (?:\d+\.)? \d\d:\d\d:\d\d (?:\.\d+)? (?![\d:]) )
      | (?P<address> (?<![\w.]) \d{1,3} (?:\.\d{1,3}){3} (?![\w.])
                   | (?<![\w:]) [0-9a-fA-F]{0,4} (?: :[0-9a-fA-F]{0,4} ){2,7} (?![\w:]) )
      | (?P<hexadecimal> (?<![^\W_]) (?=[a-fA-F]*\d) (?=\d*[a-fA-F]) [0-9a-fA-F]{16,} (?![^\W_]) )
    )
  | (?P<word> [^\W_] (?: [^\W_\u0300-\u036f]+ | [\u0300-\u036f] | ['\u2019](?=[^\W\d_]) )* )
  | (?P<symbol> [^\x00-\x7f\w] )
"""
_NOTHING = "(?!)"
_PARTING = re.compile(r"[\\/]")


def tokens(secrets: Collection[str] = (), hosts: Collection[str] = ()) -> Tokens:
    """A pattern whose `lastgroup` says what was found; these secrets and hosts come before everything else."""
    shapes = {shape for secret in secrets for shape in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}
    known = (
        ("secret", "|".join(map(re.escape, sorted(shapes, key=len, reverse=True))) or _NOTHING),
        ("authority", r"""(?<=://) [^/\\\s?#"'<>]+"""),
        ("host", rf"(?<![\w.-])(?i:{_any(hosts)})(?![\w-])" if hosts else _NOTHING),
    )
    return re.compile("|".join([*(f"(?P<{name}>{one})" for name, one in known), _SHAPES]), re.VERBOSE)


def _any(texts: Collection[str]) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))


def components(text: str, found: list[Token]) -> Iterator[list[Token]]:
    """The tokens of each part of a path; of anything else, all in one."""
    begun: list[Token] = []
    end = 0
    for token in found:
        if begun and _PARTING.search(text, end, token.start()):
            yield begun
            begun = []
        begun.append(token)
        end = token.end()
    if begun:
        yield begun
