"""Files are found, read within limits, and refused with their name."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.adapters.sources.files import find_files, read_file, skipped_files
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief

BRIEF = "---\ntitle: A title of some length\npillar: Technology\n---\n\nA summary.\n"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_folders_are_searched_in_depth_and_hidden_files_left_out(tmp_path: Path) -> None:
    wanted = [write(tmp_path / name, BRIEF) for name in ("a.md", "deep/er/b.JSON", "deep/c.htm")]
    for name in (".hidden.md", ".git/d.md", "deep/.e/f.md"):
        write(tmp_path / name, BRIEF)
    image = write(tmp_path / "deep/picture.png", b"\x89PNG")
    assert find_files([tmp_path]) == tuple(sorted(wanted))
    assert skipped_files([tmp_path]) == (image,)


def test_a_file_named_twice_is_found_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md", BRIEF)
    assert find_files([file, tmp_path, file]) == (file,)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidBrief, match=r"nothing\.md: does not exist"):
        find_files([tmp_path / "nothing.md"])


def test_a_named_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    image = write(tmp_path / "picture.png", b"\x89PNG")
    with pytest.raises(InvalidBrief, match=r"picture\.png: is none of \.md"):
        find_files([image])
    with pytest.raises(InvalidBrief, match=r"picture\.png: is none of \.md"):
        read_file(image)


def test_a_huge_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    huge = tmp_path / "huge.html"
    with huge.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(InvalidBrief, match="larger than 2,000,000 bytes"):
        read_file(huge)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\x89PNG\0\0", "NUL bytes"), (b"\x81\x8d\x8f", "not text"), (b"\xff\xfea", "not text")],
)
def test_what_is_not_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InvalidBrief, match=reason):
        read_file(write(tmp_path / "a.txt", content))


def test_a_folder_and_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(InvalidBrief, match="is not a file"):
        read_file(tmp_path / "folder.md")
    with pytest.raises(InvalidBrief, match="does not exist"):
        read_file(tmp_path / "missing.md")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_reads_the_same(tmp_path: Path, encoding: str) -> None:
    text = BRIEF.replace("A summary.", "The plant’s “summary” – naïve.").replace("\n", "\r\n")
    (brief,) = read_file(write(tmp_path / "a.md", text.encode(encoding)))
    assert brief.summary == "The plant’s “summary” – naïve."


PAGE = (
    '<!doctype html><html><head><meta charset="{0}"></head><p>Technology Daily Brief<h1>{1}</h1>'
    "<p>3 min read Example Wire Verified M<p>Text.<a href='https://e.example'>View Source</a>"
)


@pytest.mark.parametrize(
    ("charset", "title"),
    [
        ("ISO-8859-2", "Żółty kabel zakład"),
        ("Shift_JIS", "半導体の工場①"),
        ("gbk", "芯片工厂的水"),
        ("gb2312", "芯片工厂的水"),
        ("EUC-KR", "반도체 공장"),
        ("windows-1251", "Завод чипов"),
        ("koi8-r", "Завод чипов"),
        ("iso-8859-1", "The plant’s “summary” – naïve"),
        ("iso-2022-jp", "半導体の工場"),
        ("utf-8", "Żółty 半導体 Завод"),
    ],
)
def test_a_page_is_read_in_the_encoding_that_it_declares(
    tmp_path: Path, charset: str, title: str
) -> None:
    wider = {"iso-8859-1": "cp1252", "Shift_JIS": "cp932"}.get(charset, charset)
    for number, page in enumerate(
        (PAGE, PAGE.replace("charset", "http-equiv=x content='x; charset"))
    ):
        content = page.format(charset, title).replace('">', "'>" if number else '">', 1)
        (brief,) = read_file(write(tmp_path / f"{number}.html", content.encode(wider)))
        assert brief.title == title


def test_utf_8_is_read_in_spite_of_what_a_page_declares(tmp_path: Path) -> None:
    (brief,) = read_file(write(tmp_path / "a.html", PAGE.format("windows-1252", "Café ’n’ Łódź")))
    assert brief.title == "Café ’n’ Łódź"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", BRIEF.encode() + "café caf".encode() + b"\xe9", r"line 7: the byte 0xe9"),
        ("a.md", BRIEF.replace("A s", "Завод").encode("cp1251"), "line 6: is not text in UTF-8"),
        ("a.md", BRIEF.replace("A s", "zakład ż").encode("iso-8859-2"), "line 6: is not text"),
        ("a.html", PAGE.format("utf-8", "Завод").encode("koi8-r"), "line 1: is not text"),
        ("a.html", PAGE.format("Shift_JIS", "x\n").encode() + b"\x81\xff", "line 2: .*CP932"),
        ("a.html", PAGE.format("utf-7", "x").encode(), "not read: utf-7"),
    ],
)
def test_an_unknown_encoding_is_refused_with_the_line(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(InvalidBrief, match=reason):
        read_file(write(tmp_path / name, content))


def test_a_given_source_url_fills_a_gap_and_overrules_nothing(tmp_path: Path) -> None:
    url = "https://example.com/given"
    (filled,) = read_file(write(tmp_path / "a.md", BRIEF), source_url=f" {url} ")
    own = BRIEF.replace("pillar", "source_url: https://example.com/own\npillar")
    (own_url,) = read_file(write(tmp_path / "b.md", own), source_url=url)
    assert (filled.source.url, own_url.source.url) == (url, "https://example.com/own")


SHAPES = """
    --- title: x pillar: y { } [ ] "title" : , &a *a ? minutes: published: <p> <a> </p> <script>
    <!-- -->
"""
LINES = ["2 min read Wire Partial H", "Technology Daily Brief", "Title", "View Source", "---", ""]
PIECES = [
    *SHAPES.split(),
    *(f"{line}\n" for line in LINES),
    "title: Title\npillar: P\n",
    "1" * 5000,
    "[" * 3000,
]


@settings(max_examples=80)
@given(
    content=st.binary(max_size=200)
    | st.lists(st.sampled_from(PIECES), max_size=20).map("".join).map(str.encode),
    extension=st.sampled_from([".md", ".json", ".txt", ".html"]),
)
def test_any_bytes_are_briefs_or_an_invalid_brief(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, extension: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{extension}"
    path.write_bytes(content)
    with contextlib.suppress(InvalidBrief):
        briefs = read_file(path)
        assert all(isinstance(brief, Brief) and brief.key and brief.title for brief in briefs)
