"""Columns that say who left, in any language, are asked about; harmless ones are not."""

import pytest

from subscribers.errors import ListQuestions
from subscribers.lists.csv_reader import read_csv

# What columns that say who left are called, and two of their values.
DOUBTFUL = """
Accepts Email Marketing:yes:no|do_not_email:0:1|Opt In:yes:no|Enabled:1:0|Abgemeldet:nein:ja
|désabonné:non:oui|Baja:no:sí|退会:いいえ:はい|Einwilligung:ja:nein|Newsletter:x:|Werbung:ja:nein
|Abmeldedatum::2024-01-05|Kündigung::12.03.2024|Zustimmung widerrufen::ja|Sperrvermerk::gesperrt
|Consentement:oui:non|Date de désinscription::2024-02-03|Statut:actif:désabonné|Inscrit:1:0
|Estado:activo:baja|Fecha de baja::03/04/2024|Suscrito:sí:no|Consentimiento:sí:no
|Stato:attivo:disiscritto|Consenso:sì:no|Data disiscrizione::2024-05-06|Iscritto:sì:no
|Situação:ativo:cancelado|Assinante:sim:não|Descadastrado em::2024-07-08|Aceita e-mails:sim:não
|Afgemeld:nee:ja|Toestemming:ja:nee|Uitgeschreven op::2024-09-10|Zgoda:tak:nie
|Data rezygnacji::2024-11-12|Wypisany:nie:tak|配信停止:0:1|購読状況:購読中:解除|メルマガ:可:不可
|退订:否:是|订阅状态:已订阅:已退订|是否订阅:是:否|Отписан:нет:да|Статус:активен:отписан|Согласие:да:нет
|수신동의:예:아니오|Samtycke:ja:nej|Avmeldt:nei:ja|Odhlášen:ne:ano|Abonelik:evet:hayır|E-mail OK:J:N
|Mailable:Y:N|Contactable:TRUE:FALSE|Churned::2024-01-01|Lifecycle:customer:former
|Suppression reason::hard bounce|Permission:granted:revoked|Segment:A:B|Kanal:Print:E-Mail
|flag_3:0:1|STATUS_CD:A:U|Member since/until:2020:2020-2024|GDPR:ok:no|Mkt:Y:N
"""

HARMLESS = """
Vorname:Ann|Nachname:Muster|Straße:Ring 1|PLZ:10115|Ort:Berlin|Telefon:030 1|Firma:Acme
|Geburtsdatum:1.2.1980|Anrede:Frau|Prénom:Ann|Ville:Paris|Code postal:75001|Téléphone:01
|Date de naissance:1980-02-01|Société:Acme|Nombre:Ana|Apellidos:Gil|Ciudad:Lima|País:Perú
|Teléfono:1|Empresa:Acme|Cognome:Rossi|Città:Roma|Indirizzo:Via 1|Azienda:Acme|Sobrenome:Gil
|Cidade:Porto|Endereço:Rua 1|Data de nascimento:1980-02-01|Voornaam:An|Achternaam:Smit
|Plaats:Gent|Bedrijf:Acme|Imię:Ewa|Nazwisko:Lis|Miasto:Gdynia|Kod pocztowy:80-001|Firma:Acme
|氏名:山田|住所:東京|電話番号:03|会社名:A|生年月日:1980/02/01|姓名:王|城市:北京|电话:010|公司:A|Имя:Анна
|Фамилия:Лис|Город:Тверь|Телефон:8|Компания:А|이름:김|전화번호:02|First Name:Ann|Last-Name:Lee
|Mobile Phone Number:1|Default Address City:Rome|Job Title:Editor|Company Name:Acme|Language:en
|Country/Region:FR|ZIP Code:1|Website:example.org|Date of Birth:1980-02-01|Notes:met in May
|Customer ID:17|UTM Source:ad|IP Address:192.0.2.1|Last Updated:2024-01-01|Gender:f
"""


def questions(header: str, *cells: str) -> ListQuestions | None:
    lines = [f"email\t{header}\n", *(f"r{n}@example.com\t{c}\n" for n, c in enumerate(cells))]
    try:
        list(read_csv(lines, "list.csv", known_topics=(), known_zones=("UTC",)).lines)
    except ListQuestions as asked:
        return asked
    return None


@pytest.mark.parametrize("column", [one.strip() for one in DOUBTFUL.split("|")])
def test_a_column_that_may_say_who_left_is_asked_about_in_any_language(column: str) -> None:
    name, first, second = column.split(":")
    asked = questions(name, first, second)
    assert asked, column
    assert f"“{name}”" in str(asked)
    assert asked.options


@pytest.mark.parametrize("column", [one.strip() for one in HARMLESS.split("|")])
def test_a_column_that_can_hardly_say_who_left_is_not_asked_about(column: str) -> None:
    name, value = column.split(":")
    assert questions(name, value, "") is None


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("City", ["yes", "no"]),
        ("Company", ["active", "unsubscribed"]),
        ("Country", ["", "abgemeldet"]),
        ("Phone", ["2024-01-05", "2024-02-06"]),
        ("Notes", ["met in May", "asked us: do not email"]),
    ],
)
def test_a_harmless_name_does_not_hide_what_its_values_say(name: str, cells: list[str]) -> None:
    assert questions(name, *cells)


def test_what_only_a_late_row_says_is_asked_before_anything_is_stored() -> None:
    assert questions("Comment", *[""] * 2_500, "unsubscribed")
    assert questions("Opt-out", *[""] * 2_500, "2024-01-01")
    assert questions("Opt-out", *[""] * 2_500) is None


def test_a_status_that_is_a_bare_yes_or_no_is_asked_about() -> None:
    assert questions("status", "yes", "no")
    assert questions("status", "active", "abgemeldet") is None
