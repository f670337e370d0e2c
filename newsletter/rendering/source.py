"""Filling in of templates: Jinja in a sandbox, strict about names, escaping in MJML."""

import re
import textwrap
from collections.abc import Callable, Mapping
from hashlib import sha256
from html.entities import html5
from pathlib import Path
from types import TracebackType

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.environment import Environment
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from newsletter.core.galley import CLOSE_MARK, OPEN_MARK
from newsletter.errors import RenderingFailed
from newsletter.rendering.css import css_faults, inlined_faults, refuse_faults
from newsletter.rendering.page import Page
from newsletter.rendering.source_map import lines_before, with_lines, with_places
from newsletter.rendering.story import Story
from newsletter.rendering.typefaces import Typefaces

ISSUE = "issue"  #: the folder of an issue's templates
MJML = "issue/issue.mjml.j2"
TEXT = "issue/issue.txt.j2"
INLINE_CSS = "issue/styles/inline.css"
_TEXT_WIDTH = 72  #: columns: what a mail reader quotes without wrapping again

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = {"amp", "apos", "gt", "lt", "quot"}
_JINJA = re.compile(r"\{[{%#]")
_BLANK_EDGES = re.compile(r"^\s+(?=<)|(?<=>)\s+$")

#: Errors of an expression in a template, besides Jinja's own.
_TEMPLATE_BUGS = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class Templates:
    """Fills in the templates of a folder, and names the place of an error in them."""

    def __init__(self, templates: Path) -> None:
        self._folder = templates
        self._jinja = SandboxedEnvironment(
            loader=_Loader(templates),
            undefined=StrictUndefined,
            autoescape=_escapes,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.filters["wrap"] = wrap  # pyright: ignore[reportUnknownMemberType]  # untyped there

    def fill(self, name: str, page: Page, *, marked: bool) -> str:
        """Return the template filled in; RenderingFailed names template, line and brief.

        In a template, `piece` marks content between MJML tags, `inline_piece` content in text.
        """
        in_mjml = name == MJML
        pieces = {
            "piece": _bracket("<mj-raw>{}</mj-raw>", in_mjml=in_mjml, marked=marked),
            "inline_piece": _bracket("{}", in_mjml=in_mjml, marked=marked),
        }
        return self.render(name, vars(page) | pieces)

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """Return a template filled in; RenderingFailed names template, line and brief."""
        try:
            return self._jinja.get_template(name).render(values)
        except TemplateSyntaxError as error:
            raise RenderingFailed(f"{error.name}, line {error.lineno}: {error.message}") from error
        except (TemplateError, *_TEMPLATE_BUGS) as error:
            place = self._place(error.__traceback__) or name
            raise RenderingFailed(f"{place}: {error}") from error

    def fingerprints(self, folder: str) -> dict[str, str]:
        """Return the digest of each file in a folder of templates, by its name."""
        return {
            path.relative_to(self._folder).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in sorted((self._folder / folder).rglob("*"))
            if path.is_file()
        }

    def inline_css(self, faces: Typefaces, name: str = INLINE_CSS) -> str:
        """Return a style sheet to be written into tags, in the fonts of a language.

        RenderingFailed names each wrong line, as it is counted in the template.
        """
        css = self.render(name, {"faces": faces})
        if faults := inlined_faults(css):
            lines = self._lines(name, {"faces": faces})
            refuse_faults(name, ((lines[min(line, len(lines)) - 1], said) for line, said in faults))
        return css

    def _lines(self, name: str, values: Mapping[str, object]) -> list[int]:
        """Return the template's line for each line of what it is filled in to."""
        source = (self._folder / name).read_text(encoding="utf-8")
        return lines_before(self._jinja.from_string(with_lines(source)).render(values))

    def _place(self, trace: TracebackType | None) -> str:
        """Return template, line and brief where the error arose; "" if in no template."""
        place = ""
        while trace is not None:
            code = Path(trace.tb_frame.f_code.co_filename)
            if code.is_relative_to(self._folder):
                # Jinja rewrites its tracebacks: lines are the template's, locals its variables.
                place = f"{code.relative_to(self._folder).as_posix()}, line {trace.tb_lineno}"
                story = trace.tb_frame.f_locals.get("story")
                place += f" (brief {story.brief_id})" if isinstance(story, Story) else ""
            trace = trace.tb_next
        return place


def _escapes(template: str | None) -> bool:
    return template is None or not template.endswith((".txt.j2", ".css"))


class _Loader(FileSystemLoader):
    """Loads MJML templates with the place of each tag on it, and style sheets without faults."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, path, up_to_date = super().get_source(environment, template)
        if template.endswith(".mjml.j2"):
            source = with_places(without_entities(source), template)
        elif template.endswith(".css") and not _JINJA.search(source):
            refuse_faults(template, css_faults(source))
        return source, path, up_to_date


def without_entities(source: str) -> str:
    """Return a template with the named characters of HTML as XML knows them.

    >>> without_entities("a&nbsp;b &amp; &copy;"), without_entities("&nope;")
    ('a&#160;b &amp; &#169;', '&nope;')
    """
    return _ENTITY.sub(_numbered, source)


def _numbered(entity: re.Match[str]) -> str:
    if entity[1] in _XML_ENTITIES:
        return entity[0]
    characters = html5.get(f"{entity[1]};")
    return "".join(f"&#{ord(one)};" for one in characters) if characters else entity[0]


def wrap(text: str) -> str:
    """Return the text in lines of at most 72 columns, except for longer words."""
    return textwrap.fill(text, _TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)


def _bracket(around: str, *, in_mjml: bool, marked: bool) -> Callable[..., Markup]:
    """Return the function behind `{% call piece(name) %}`, which marks a piece if `marked`."""

    def piece(name: str, caller: Callable[[], str]) -> Markup:
        # mrml drops blanks between tags but not beside a comment, so none are left here.
        inner = _BLANK_EDGES.sub("", str(caller())) if in_mjml else str(caller())
        if not marked:
            return Markup(inner)  # noqa: S704  # escaped already, by the same template
        first, last = around.format(OPEN_MARK.format(name)), around.format(CLOSE_MARK)
        return Markup(first + inner + last)  # noqa: S704  # the same

    return piece
