"""What must be asked about a list before anything of it is stored: all of it in one answer.

Whoever left elsewhere must not be written to again. So in a list that is not known as a whole,
each column must be known, explained, or known to be harmless; and even a harmless name does not
hide values that look like a yes or no, a status, or a date on which somebody left.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from subscribers.errors import ListQuestions
from subscribers.lists.column_names import (
    is_harmless,
    sounds_like_leaving,
    sounds_like_subscribing,
)
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.list_format import OWN, Format
from subscribers.lists.model import Explanations
from subscribers.lists.moments import looks_like_a_moment
from subscribers.lists.statuses import NO, WORDS, YES, ImportedStatus, normal

_FEW = 12  #: different values; a column of more is no status
_SHOWN = 4  #: of a column's values, in a question
_CHECKED = 50  #: of a column's values, for being dates

_DATED = re.compile(r"birth|geb|naiss|nac|nasc|urodz|рожд|生|誕|생년|updat|modif|chang|activ"
                    r"|seen|open|click|creat").search  # fmt: skip
_SAYS_LEFT = re.compile(
    r"unsubscri|opt(?:ed)?[ -]?out|do ?n.?t (?:e-?mail|mail|contact|send)|do not (?:e-?mail|mail"
    r"|contact|send)|no (?:more )?(?:e-?mail|mail)|abgemeldet|abbestellt|désabonn|désinscri"
    r"|dado de baja|disiscritt|descadastr|afgemeld|uitgeschreven|wypisan|отписа|退会|配信停止|退订"
    r"|수신거부|구독 ?취소"
).search
_FILE_OF_LEAVERS = re.compile(
    r"unsub|bounc|spam|suppress|clean|complain|opt.?out|block|black|removed|inactive|nonsubscr"
    r"|abmeld|abgemeld|désab|desab|désins|\bbajas?\b|descadast|afmeld|wypis|退会|退订|отпис|\bleft"
)
#: SendGrid exports its suppressions with these; `created` is when they left.
SUPPRESSION_COLUMNS = frozenset({"email", "created", "reason", "status", "ip", "blocked"})
_GRAVE = {
    "bounced": re.compile(r"bounc|clean"),
    "complained": re.compile(r"spam|complain"),
    "suppressed": re.compile(r"suppress|block|black"),
}


@dataclass(frozen=True)
class Question:
    """Something that only the operator knows, and options that would answer it."""

    text: str
    options: tuple[str, ...]


def ask(file: str, questions: Sequence[Question]) -> None:
    """Raise ListQuestions if there are any."""
    if not questions:
        return
    options = tuple(option for one in questions for option in one.options)
    listed = "\n".join(f"- {one.text}" for one in questions)
    raise ListQuestions(f"{file}: please explain first; nothing is stored.\n{listed}", options)


def questions_about(
    header: Sequence[str],
    kind: Format,
    records: Sequence[Sequence[str]],
    said: Explanations,
    file: str,
) -> list[Question]:
    """Return what must be asked, as a list's header and first rows show it."""
    if said.leaving:
        return []
    columns = [normal(column) for column in header]
    found = list(_about_everybody(columns, kind, said, file))
    for place, column in enumerate(columns):
        cells = [record[place] for record in records if place < len(record)]
        if question := question_about(header[place], column, kind, cells, said):
            found.append(question)
    return found


def _about_everybody(
    columns: Collection[str], kind: Format, said: Explanations, file: str
) -> Iterator[Question]:
    if said.listed_as is not None:
        return
    if kind.insufficient:
        yield Question(kind.insufficient, ("--as", "subscribed"))
    elif not kind.statuses.keys() & set(columns):
        stem = PurePath(file).stem.lower()
        if found := _FILE_OF_LEAVERS.search(stem):
            yield _are_these_gone(f"the file's name says “{found[0]}”", _gravity(stem))
        elif {"email", "created"} <= set(columns) <= SUPPRESSION_COLUMNS:
            because = f"a list of {', '.join(columns)} is how SendGrid exports its suppressions"
            yield _are_these_gone(because, _of_sendgrid(columns))


def _of_sendgrid(columns: Collection[str]) -> str:
    if "reason" in columns:
        return "bounced" if "status" in columns else "suppressed"
    return "complained" if "ip" in columns else "left"


def _gravity(stem: str) -> str:
    return next((word for word, known in _GRAVE.items() if known.search(stem)), "left")


def _are_these_gone(because: str, word: str) -> Question:
    text = (
        f"Are these the people who left ({because})? Then say so with --as left, or suppressed,"
        " bounced, complained or invalid; if they are subscribers, with --as subscribed."
    )
    return Question(text, ("--as", word))


def question_about(
    title: str, column: str, kind: Format, cells: Iterable[str], said: Explanations
) -> Question | None:
    """Return what must be asked about a column that holds these cells."""
    all_cells = [cell.strip() for cell in cells]
    values = list(dict.fromkeys(normal(cell) for cell in all_cells if cell))
    if column in kind.statuses:
        return _about_status(title, column, kind, values, said)
    if column in kind.columns or kind.complete or not values:
        return None
    look = _look(column, values)
    if is_harmless(column) and not look:
        return None
    shown = ", ".join(values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    options = _suggested(title, column, look, values, some_blank="" in all_cells)
    return Question(f"What does the column “{title}” say ({shown})?", options)


def _about_status(
    title: str, column: str, kind: Format, values: Sequence[str], said: Explanations
) -> Question | None:
    """Ask about a column of statuses whose words are no statuses, such as a bare “yes”."""
    words = kind.statuses[column]
    own = column in said.columns or kind.name == OWN.name
    unknown = [value for value in values if value not in words and "*" not in words]
    doubtful = len(unknown) > _FEW // 2 or any(value in YES | NO for value in unknown)
    if not own or not unknown or not doubtful:
        return None
    shown = ", ".join(unknown[:_SHOWN])
    meaning = said.columns.get(column, ColumnMeaning.STATUS)
    if meaning is ColumnMeaning.STATUS and set(unknown) <= YES | NO and column not in said.columns:
        options = ("--map", f"{title}={_direction(column)}")
    else:
        options = tuple(_of_words(unknown[:_FEW]))
    return Question(f"What do these words in the column “{title}” say: {shown}?", options)


def _look(column: str, values: Sequence[str]) -> str:
    """Return whether the values look like a yes or no, a status, or dates; else ""."""
    few = set(values) if len(values) <= _FEW else set[str]()
    if few and few <= YES | NO and few not in ({"1"}, {"0"}):
        return "yes or no"
    statuses = [WORDS[value] for value in few if value in WORDS]
    if any(status >= ImportedStatus.LEFT for status in statuses) or len(statuses) == len(few) > 0:
        return "status"
    if any(map(_SAYS_LEFT, values)):
        return "status" if few else "text"
    if not _DATED(column) and all(map(looks_like_a_moment, values[:_CHECKED])):
        return "dates"
    return ""


def _suggested(
    title: str, column: str, look: str, values: Sequence[str], *, some_blank: bool
) -> tuple[str, ...]:
    leaving = sounds_like_leaving(column)
    short = len(values) <= _FEW and set(values) <= YES | NO
    mixed = len(values) <= _FEW and not short and bool((YES | NO).intersection(values))
    if look == "yes or no" or short:
        meaning = _direction(column)
    elif look == "status" or mixed or (len(values) <= _FEW and sounds_like_subscribing(column)):
        words = [value for value in values if value not in WORDS]
        return ("--map", f"{title}=status", *_of_words(words, title))
    elif leaving or (look == "dates" and some_blank):
        meaning = "left"
    else:
        meaning = "ignore"
    return ("--map", f"{title}={meaning}")


def _direction(column: str) -> str:
    return "left" if sounds_like_leaving(column) else "subscribed"


def _of_words(words: Iterable[str], title: str = "") -> Iterator[str]:
    for word in words:
        gone = word in NO or sounds_like_leaving(word)
        yield "--value"
        yield f"{title}{':' if title else ''}{word}={'left' if gone else 'subscribed'}"


class UndecidedColumn:
    """Looks on at a column that the first rows said nothing of, down to the last row."""

    def __init__(self, place: int, title: str, values: Iterable[str]) -> None:
        self.place = place
        self.title = title
        self.column = normal(title)
        self._values = dict.fromkeys(values)

    @property
    def decided(self) -> bool:
        """Return whether this is no status, since it has too many values."""
        return len(self._values) > _FEW and not any(map(_SAYS_LEFT, self._values))

    def see(self, cell: str) -> None:
        if cell and len(self._values) <= _FEW:
            self._values[cell] = None

    def question(self, kind: Format, said: Explanations) -> Question | None:
        return question_about(self.title, self.column, kind, [*self._values, ""], said)


def undecided_columns(
    header: Sequence[str], kind: Format, records: Sequence[Sequence[str]], said: Explanations
) -> list[UndecidedColumn]:
    """Return a column on each column that later rows might make doubtful."""
    if kind.complete or said.leaving:
        return []
    used = kind.columns.keys() | kind.statuses.keys()
    made = [
        UndecidedColumn(place, title, filter(None, (r[place] for r in records if place < len(r))))
        for place, title in enumerate(header)
        if normal(title) not in used
    ]
    return [column for column in made if not column.decided]
