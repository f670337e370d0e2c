"""Boilerplate: what publishing systems add to every text, which is no prose and no news."""

import re

_LONGEST = 4_000  #: characters of a paragraph that is searched; the patterns look far ahead
_TAG = re.compile(r"</?[a-z][^<>]*>")
_LINK = r"(?:<a\b[^<>]*>)?"
#: A paragraph that is nothing else.
_WHOLE = re.compile(
    r"""(?ix)
    the\ (?:post|article|story)\ .{1,400}\b(?:appeared\ first|first\ appeared|was\ first
        \ published|originally\ appeared)\ (?:on|at|in)\b.{0,200}
    | der\ (?:beitrag|artikel)\ .{1,400}\berschien\ zuerst\ auf\b.{0,200}
    | l['’]article\ .{1,400}\best\ apparu\ en\ premier\ sur\b.{0,200}
    | la\ entrada\ .{1,400}\b(?:aparece|se\ public[óo])\ primero\ en\b.{0,200}
    | l['’]articolo\ .{1,400}\bproviene\ da\b.{0,200}
    | o\ (?:post|artigo)\ .{1,400}\bapareceu\ primeiro\ em\b.{0,200}
    | het\ bericht\ .{1,400}\bverscheen\ eerst\ op\b.{0,200}
    | (?:this\ (?:post|article|story|page)|our\ \w+)\ (?:may\ )?(?:contains?|includes?)
        \ (?:affiliate|sponsored|paid)\b.{0,300}
    | (?:disclosure|affiliate\ (?:notice|disclosure|disclaimer))\s*:.{0,300}
    | as\ an?\ amazon\ associate\b.{0,200}
    | (?:we|\w+)\ may\ (?:earn|receive|get)\ (?:a|an|some)?\ ?(?:small\ )?(?:affiliate\ )?
        commission.{0,200}
    | (?:advertisement|sponsored|share\ this|like\ this|loading|related|comments?|tags?)\W{0,3}
    | (?:photo|image|picture|video|foto|photograph)\s?(?:credit|by|courtesy)?\s?:.{0,120}
    | (?:sign\ up|subscribe)\ (?:for|to)\ (?:our|the|my)\b.{0,120}
    | (?:follow|like)\ us\ on\b.{0,80}
    | submitted\ by\b.{0,120}
    | (?:points|\#\ comments)\s?:\s?\d+
    | (?:article|comments)\ url:.{0,300}
    """
)
_MORE = (
    r"(?:continue|keep)\s+reading\b|read\s+(?:more|on|the\s+(?:full|rest|whole|entire)\b)"
    r"|(?:view|see)\s+(?:entire|full|original)\s+(?:post|article|story)"
    r"|weiterlesen\b|mehr\s+lesen\b|lire\s+la\s+suite\b|seguir\s+leyendo\b|leer\s+m[áa]s\b"
)
#: An invitation at the end: a link, in brackets, after a sentence, or with an arrow.
_ARROW = r"(?:→|»|›|&rarr;|&raquo;)"
_TAIL = re.compile(
    rf"(?is)(?:(?:\A|(?<=[.!?…:”\"’\]>]))\s*{_LINK}|\s*<a\b[^<>]*>|\s*[(\[]{_LINK})"
    rf"(?:{_MORE})[^.!?]{{0,160}}(?:{_ARROW}|&hellip;|…|\.\.\.)?\.?(?:\s*</\w+>)*[)\]]?\s*\Z"
    rf"|\s(?:{_MORE})[^.!?]{{0,160}}{_ARROW}\s*\Z"
)
#: The same as a last sentence of a paragraph.
_SENTENCE_TAIL = re.compile(
    r"(?is)(?<=[.!?])\s+(?:this (?:post|article) (?:may )?contains? affiliate[^.]*\."
    r"|the post .{1,300}appeared first on .{1,120})\Z"
)
_CUT = re.compile(r"\s*(?:\[(?:…|\.\.\.|&hellip;)\]|\((?:…|\.\.\.)\))\s*")
_CAPTION = re.compile(r"(?is)\[caption\b[^\]]{0,200}\].{0,1000}?\[/caption\]")
_PAIRED_CODE = re.compile(
    r"(?s)\[(?P<name>[a-z][\w-]{1,40})(?:\s[^\[\]]*)?\](?P<inner>.{0,4000}?)\[/(?P=name)\]"
)
_CODE = re.compile(
    r"\[/?(?:[a-z][\w-]{1,40}\s+[\w-]+\s*=\s*(?:&quot;|[\"'“”″])?[^\[\]]*"
    r"|gallery|embed|audio|video|playlist|caption|vc_\w+|et_pb_\w+|fusion_\w+|contact-form-7)/?\]"
)


def prose(text: str) -> str:
    """Return a paragraph, plain or inline HTML, without its publisher's boilerplate.

    >>> prose("Wafers are cheaper. Continue reading Wafers →"), prose("They work in […]")
    ('Wafers are cheaper.', 'They work in …')
    """
    if len(text) > _LONGEST:
        return text
    if _WHOLE.fullmatch(_TAG.sub("", text).strip()):
        return ""
    kept = _CAPTION.sub(" ", text)
    kept = _PAIRED_CODE.sub(lambda code: f" {code['inner']} ", kept)
    kept = _SENTENCE_TAIL.sub("", _CODE.sub(" ", kept))
    kept = _CUT.sub(" … ", _TAIL.sub("", kept))
    return " ".join(kept.split()) if kept != text else text


def is_cut(text: str) -> bool:
    """Return whether this was cut in mid-sentence."""
    return prose(text).rstrip().endswith(("…", "...", "&hellip;"))


def without_cut_end(text: str) -> str:
    """Return a cut text up to its last whole sentence, where it has one of some length."""
    if len(text) > _LONGEST:
        return text
    text = re.sub(r"(?<=[.!?”\"])\s*(?:…|\.\.\.)\Z", "", text)
    whole = re.match(r"(?s)(.{60,}[.!?][”’\"')]?)\s+\S.*(?:…|\.\.\.)\s*\Z", text)
    return whole[1] if whole else text


def boilerplate_in(text: str) -> str:
    """Return the part of a text that is not its author's; nothing where all of it is prose."""
    if prose(text) != text:
        found = (p.search(text) for p in (_WHOLE, _CAPTION, _CODE, _TAIL, _CUT))
        return next((one[0].strip() for one in found if one), text)[:120]
    return ""
