"""The staff at a newsletter's settings: invited, changed, removed."""

import re
from dataclasses import replace

import pytest

from newsletter.web.console.app import create_console
from tests.container import TestContainer
from tests.staff import SHELL
from tests.web.console.serving import GRANTS, OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

SETTINGS = f"/{OWN_SLUG}/settings"
STAFF = f"{SETTINGS}/staff"
HELD = f"edit {OWN_SLUG}"  #: what the page shows of the member who edits


@pytest.fixture
def owner(members: dict[str, ConsoleClient]) -> ConsoleClient:
    return members["own"]


def id_of(container: TestContainer, name: str) -> int:
    return container.staff_accounts.by_email(f"{name}@example.org").id


def roles(container: TestContainer, name: str) -> set[str]:
    return set(map(str, container.staff_accounts.by_email(f"{name}@example.org").grants))


def _refuse(*_: object) -> bool:
    return False


def removals(container: TestContainer) -> int:
    return container.query("SELECT count(*) FROM decision WHERE verb = 'removed'")[0][0]


def test_an_invitation_is_shown_once_and_works_once(
    owner: ConsoleClient, console: ConsoleClient, container: TestContainer
):
    grants = [f"edit {OWN_SLUG}", "see *"]
    shown = owner.post(STAFF, email="new@example.org", grant=grants)
    [link] = re.findall(rf'value="{console.url}(/invitation/[^"]+)"', shown.text)
    assert "until 24 November" in shown.text
    assert link not in owner.get(SETTINGS).text
    assert "Invited, not accepted yet" in owner.get(SETTINGS).text

    assert console.get(link).status_code == 200
    assert console.post(link, name="Nora").headers["location"] == "/account?new=1"
    assert console.get(link).status_code == 404
    assert roles(container, "new") == {f"edit {OWN_SLUG}", "see *"}


def test_a_new_link_voids_the_first(owner: ConsoleClient, console: ConsoleClient):
    links = [
        re.findall(
            r"(/invitation/[^\"]+)\"",
            owner.post(STAFF, email="n@example.org", grant="see *", held=HELD).text,
        )[0]
        for _ in range(2)
    ]
    assert [console.get(link).status_code for link in links] == [404, 200]


@pytest.mark.parametrize(
    ("email", "grant", "said"),
    [
        ("nobody", "see *", "not an address"),
        ("new@example.org", [], "say which role"),
        ("new@example.org", "rule *", "no role"),
        ("new@example.org", "stop *", "no role"),
        ("new@example.org", "edit", "no newsletter"),
        ("new@example.org", "edit nothing", "no newsletter"),
        ("new@example.org", f"own {OWN_SLUG}", "grant it for all"),
        ("edit@example.org", "see *", "belongs to the staff already"),
    ],
)
def test_what_cannot_be_granted_is_refused_on_the_page(
    email: str, grant: object, said: str, owner: ConsoleClient, container: TestContainer
):
    before = container.staff_accounts.members()
    refused = owner.post(STAFF, email=email, grant=grant)
    assert refused.status_code == 409
    assert said in refused.text
    assert f'value="{email}"' in refused.text
    assert container.staff_accounts.members() == before


def test_roles_become_those_that_are_ticked(
    owner: ConsoleClient, members: dict[str, ConsoleClient], container: TestContainer
):
    grants = ["approve *", "keep-list science"]
    path = f"{STAFF}/{id_of(container, 'edit')}/roles"
    changed = owner.post(path, form_key="one", grant=grants, held=HELD)
    assert changed.headers["location"] == f"{SETTINGS}?said=roles_changed"
    assert roles(container, "edit") == set(grants)
    assert members["edit"].get("/account").headers["location"].startswith("/sign-in")
    assert owner.post(path, form_key="two").status_code == 409
    assert roles(container, "edit") == set(grants)


def test_an_older_page_gives_nothing_back_that_was_taken_away_since(
    owner: ConsoleClient, container: TestContainer
):
    path = f"{STAFF}/{id_of(container, 'approve')}/roles"
    page = owner.get(SETTINGS).text.partition(f'action="{path}"')[2].partition("</form>")[0]
    held = re.findall(r'name="held" value="([^"]+)"', page)
    assert held == ["approve technology"]
    assert owner.post(path, form_key="one", held=held, grant="see science").status_code == 303
    late = owner.post(path, form_key="two", held=held, grant=[*held, "edit technology"])
    assert late.status_code == 409
    assert "somebody changed their roles since you looked" in late.text
    assert roles(container, "approve") == {"see science"}


def test_nobody_changes_their_own_rights(owner: ConsoleClient, container: TestContainer):
    own = id_of(container, "own")
    for act in ("roles", "remove"):
        refused = owner.post(f"{STAFF}/{own}/{act}", form_key=act, grant="see *")
        assert refused.status_code == 409
        assert "nobody changes their own rights: ask another owner" in refused.text
    assert roles(container, "own") == {"own *"}
    assert f"{STAFF}/{own}/remove" not in owner.get(SETTINGS).text


def test_the_last_owner_stays(
    owner: ConsoleClient, container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    other = container.staff_accounts.invite("two@example.org", GRANTS["own"], by=SHELL)
    container.staff_accounts.accept(other, "Two")
    monkeypatch.setattr(container.staff, "remove", _refuse)  # the other one went first
    refused = owner.post(f"{STAFF}/{id_of(container, 'two')}/remove", form_key="one")
    assert refused.status_code == 409
    assert "this is the last owner: make somebody else an owner first" in refused.text


def test_a_form_posted_twice_is_done_once(owner: ConsoleClient, container: TestContainer):
    path = f"{STAFF}/{id_of(container, 'edit')}/remove"
    first, second = (owner.post(path, form_key="one") for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"] == f"{SETTINGS}?said=removed"
    assert removals(container) == 1
    assert owner.post(path, form_key="another").status_code == 404


def test_a_form_that_was_refused_may_be_posted_again(
    owner: ConsoleClient, container: TestContainer
):
    path = f"{STAFF}/{id_of(container, 'edit')}/roles"
    assert owner.post(path, form_key="one").status_code == 409
    assert owner.post(path, form_key="one", grant="see *", held=HELD).status_code == 303
    assert roles(container, "edit") == {"see *"}


def test_somebody_is_signed_out_everywhere(
    owner: ConsoleClient, members: dict[str, ConsoleClient], container: TestContainer
):
    owner.post(f"{STAFF}/{id_of(container, 'edit')}/sign-out")
    assert members["edit"].get("/account").headers["location"].startswith("/sign-in")
    assert members["see"].get("/account").status_code == 200


def test_others_see_who_may_do_what_here_and_no_staff(members: dict[str, ConsoleClient]):
    page = members["see"].get(SETTINGS).text
    assert "Who may do what here" in page
    assert "keep-list, own" in page
    assert STAFF not in page
    assert "elsewhere" not in page


def test_practice_asks_for_no_confirmation(owner: ConsoleClient, container: TestContainer):
    assert "confirm that it is still you" not in owner.get(SETTINGS).text
    container.clock.pass_time(minutes=16)
    assert "confirm that it is still you" in owner.get(SETTINGS).text
    path = f"{STAFF}/{id_of(container, 'edit')}/roles"
    assert (
        owner.post(path, form_key="one", grant="see *", held=HELD)
        .headers["location"]
        .startswith("/confirm")
    )

    services = replace(container.console_services, practice=True)
    practice = ConsoleClient(create_console(services), owner.portal, owner.url, owner.token)
    assert practice.post(path, form_key="one", grant="see *", held=HELD).status_code == 303
    assert roles(container, "edit") == {"see *"}
    assert practice.post("/account/password", password="123456789012").status_code == 422


def test_more_leads_to_what_a_phones_bar_lacks(members: dict[str, ConsoleClient]):
    page = members["own"].get(f"/{OWN_SLUG}/more").text.partition("<main")[2]
    for path in (f"/{OWN_SLUG}/briefs", SETTINGS, "/science/today", "/account"):
        assert f'href="{path}"' in page
    assert "/science/today" not in members["edit"].get(f"/{OWN_SLUG}/more").text
