"""Which encoding a text is in that is not UTF-8: what it would say in each is shown and asked."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from subscribers.lists.questions import Question

#: Those that lists come in; what Western spreadsheets write first.
_CANDIDATES = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1251", "koi8-r", "cp1253", "cp1255",
               "cp1256", "cp1257", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac_roman",
               "cp850")  # fmt: skip
#: What is read without a question is the same in all of these.
_LIKELY = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1251", "koi8-r", "cp1253", "shift_jis",
           "euc_jp", "gb18030", "big5", "euc_kr")  # fmt: skip
_LINES = 200  #: with something beyond ASCII, that are looked at
_SHOWN = 3  #: words in a question
_LOOKED_AT = 200_000  #: lines

_WORD = re.compile(rb"[^\s,;|\"<>()]*[\x80-\xff][^\s,;|\"<>()]*")
_UPPER_INSIDE = re.compile(r"[a-zß-öø-ÿа-яα-ω][A-ZÀ-ÖØ-ÞА-ЯΑ-Ω]").search


def encoding_questions(lines: Iterable[bytes]) -> Iterator[Question]:
    """Yield the question about these lines; none where the likely encodings agree."""
    words = list(dict.fromkeys(_words(lines)))
    readings = {
        encoding: text
        for encoding in _CANDIDATES
        if (text := _read(words, encoding)) and all(map(_is_plausible, text))
    }
    likely = {text for encoding, text in readings.items() if encoding in _LIKELY}
    if len(likely) == 1 and _LIKELY[0] in readings:
        return
    shown = list(_shown(readings, words))
    text = "\n".join(f"    --encoding {encoding}: {', '.join(text)}" for encoding, text in shown)
    option = shown[0][0] if shown else "NAME"
    yield Question(
        "In which encoding is it? It is not UTF-8; save it as UTF-8, or name the encoding in which"
        f" its names read right:\n{text or '    none that is known reads right'}",
        ("--encoding", option),
    )


def _words(lines: Iterable[bytes]) -> Iterator[bytes]:
    found = 0
    for number, line in enumerate(lines):
        if not line.isascii():
            yield from _WORD.findall(line)
            found += 1
        if found >= _LINES or number >= _LOOKED_AT:
            return


def _read(words: Iterable[bytes], encoding: str) -> tuple[str, ...]:
    try:
        return tuple(word.decode(encoding) for word in words)
    except UnicodeDecodeError:
        return ()


def _shown(
    readings: dict[str, tuple[str, ...]], words: list[bytes]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each reading once, under the first encoding that has it."""
    seen: set[tuple[str, ...]] = set()
    every = readings or {one: text for one in _CANDIDATES[:4] if (text := _read(words, one))}
    for encoding, text in every.items():
        if text not in seen:
            seen.add(text)
            yield encoding, text[:_SHOWN]


def _is_plausible(word: str) -> bool:
    """Return whether this may be a word: letters of one script, no sign amid them, none unknown."""
    letters = [character for character in word if character.isalpha()]
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in letters}
    if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}:
        return False
    strange = {unicodedata.category(one) for one in word if not one.isascii()}
    if strange & {"Cc", "Cn", "Co", "Sc", "So", "Sk", "No", "Sm"} or not word.isprintable():
        return False
    return not _UPPER_INSIDE(word)
