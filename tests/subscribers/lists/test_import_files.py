"""Lists in any encoding, in a ZIP, long ones, and texts that cannot be read at all."""

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList, ListQuestions
from subscribers.lists import reader_process
from subscribers.model import RowResult
from tests.subscribers.lists.helpers import import_text

pytestmark = pytest.mark.postgres

LIST = "email,name\na@example.com,Zoë Müller\nb@example.com,“B”\n"


def names(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return list(connection.execute(text("SELECT name FROM subscriber ORDER BY id")).scalars())


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_an_encoding_is_found_out(
    engine: Engine, tmp_path: Path, encoding: str, shown: str
) -> None:
    report = import_text(engine, tmp_path, LIST.encode(encoding))
    assert (report.encoding, report.counts[RowResult.ADDED]) == (shown, 2)
    assert names(engine) == ["Zoë Müller", "“B”"]


def test_another_encoding_is_named(engine: Engine, tmp_path: Path) -> None:
    content = "email,name\na@example.com,Дарья\n".encode("koi8-r")
    import_text(engine, tmp_path, content, encoding="koi8-r")
    assert names(engine) == ["Дарья"]
    with pytest.raises(InvalidList, match="no encoding called sütterlin"):
        import_text(engine, tmp_path, content, encoding="sütterlin")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("email,name\na@example.com,Zoë\nb@example.com,".encode() + b"\xe9\n", "line 3: not UTF-8"),
        (LIST.encode("utf-16") + b"\x00", "line 4: not UTF-16"),
    ],
)
def test_text_that_cannot_be_read_names_its_line_and_stores_nothing(
    engine: Engine, tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(InvalidList, match=f"list.csv, {words}"):
        import_text(engine, tmp_path, content)
    assert names(engine) == []
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_text_in_no_known_encoding_is_asked_about(engine: Engine, tmp_path: Path) -> None:
    content = b"email,name\na@example.com,A\nb@example.com,\x81\n"
    with pytest.raises(ListQuestions, match="In which encoding is it"):
        import_text(engine, tmp_path, content)
    assert names(engine) == []


def zipped(folder: Path, *members: str) -> bytes:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, LIST)
    content = path.read_bytes()
    path.unlink()
    return content


def test_a_zip_of_one_list_is_read_and_of_several_is_not(engine: Engine, tmp_path: Path) -> None:
    content = zipped(tmp_path, "export/list.csv", "__MACOSX/export/._list.csv", "readme.html")
    assert import_text(engine, tmp_path, content, "list.zip").counts[RowResult.ADDED] == 2
    with pytest.raises(InvalidList, match=r"holds 2 lists \(a\.csv, b\.csv\): unpack it"):
        import_text(engine, tmp_path, zipped(tmp_path, "a.csv", "b.csv"), "list.zip")
    with pytest.raises(InvalidList, match="holds 0 lists"):
        import_text(engine, tmp_path, zipped(tmp_path, "a.pdf"), "list.zip")


def test_a_long_list_is_read_by_another_process_which_says_what_is_wrong(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "_LONG", 0)
    shown: list[int] = []
    content = "email\n" + "".join(f"r{number}@example.com\n" for number in range(4_100))
    report = import_text(engine, tmp_path, content, on_progress=lambda at, _: shown.append(at))
    assert report.counts[RowResult.ADDED] == 4_100
    assert shown == sorted(shown)
    assert shown[-1] == len(content)
    with pytest.raises(InvalidList, match="line 3: not CSV"):
        import_text(engine, tmp_path, 'email\na@example.com\n"b\n')
