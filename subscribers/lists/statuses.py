"""The words by which lists say whether somebody may still be written to, in many languages."""

import unicodedata
from collections.abc import Mapping
from enum import IntEnum


class ImportedStatus(IntEnum):
    """A status in the service they come from; of two, the higher one counts."""

    SUBSCRIBED = 0
    PAUSED = 1
    UNCONFIRMED = 2
    LEFT = 3
    INVALID = 4
    BOUNCED = 5
    BLOCKED = 6
    COMPLAINED = 7


Words = Mapping[str, ImportedStatus]  #: "" is an empty cell, "*" any word that is not named


def normal(header: str) -> str:
    """Return a column's name or a word as they are compared."""
    return " ".join(unicodedata.normalize("NFKC", header).replace("_", " ").lower().split())


_YES = """
    true yes y 1 on ja j wahr oui vrai o sí si s verdadero sì vero sim verdadeiro waar tak
    prawda да истина д はい 有 是 真 예 네 evet ano áno igen kyllä joo x ✓ ✔ ☑ checked
"""
YES: frozenset[str] = frozenset(_YES.split())
_NO = """
    false no n 0 off nein falsch non faux falso não nao nee onwaar nie fałsz нет ложь н いいえ
    無 否 假 아니오 아니요 hayır hayir ne nem ei nej nei ✗ ✘ ☐ unchecked
"""
NO: frozenset[str] = frozenset(_NO.split())

_ACTIVE = """
active|subscribed|enabled|confirmed|opted in|opt-in|aktiv|abonniert|angemeldet|bestätigt|eingetragen
|actif|active|abonné|abonnée|inscrit|inscrite|confirmé|activo|activa|suscrito|suscrita|confirmado
|attivo|attiva|iscritto|iscritta|confermato|ativo|ativa|inscrito|inscrita|assinante|actief
|ingeschreven|aangemeld|bevestigd|aktywny|zapisany|potwierdzony|активен|активный|подписан
|подтвержден|有効|登録済み|購読中|配信中|活跃|有效|已订阅|订阅|已訂閱|구독중|구독 중|활성|aktif
|abone
|aktivní|prenumerant|tilmeldt|aktiivinen
"""
_LEFT = """
ended|left|unsubscribed|unsubscribe|inactive|disabled|opted out|opt out|opted-out|opt-out|optout
|removed|deleted|archived|cancelled|canceled|revoked|withdrawn|declined|do not mail|do not email
|do not contact|never subscribed|not subscribed|abgemeldet|abbestellt|ausgetragen|gekündigt|inaktiv
|widerrufen|gelöscht|gesperrt|désabonné|désabonnée|désinscrit|désinscrite|inactif|inactive|résilié
|supprimé|révoqué|baja|dado de baja|dada de baja|de baja|cancelado|cancelada|inactivo|inactiva
|desuscrito|revocado|disiscritto|disiscritta|cancellato|cancellata|inattivo|revocato|descadastrado
|descadastrada|cancelou|inativo|inativa|saiu|revogado|afgemeld|uitgeschreven|opgezegd|inactief
|ingetrokken|wypisany|wypisana|wyrejestrowany|nieaktywny|rezygnacja|usunięty|cofnięta|отписан
|отписался|отписалась|отписка|неактивен|удален|退会|退会済み|解除|解除済み|購読解除|配信停止|停止
|無効|退订
|已退订|取消订阅|已取消|无效|退訂|已退訂|수신거부|구독취소|구독 취소|탈퇴|해지|비활성
|abonelikten çıktı|pasif
|odhlášen|odhlášený|avslutad|avregistrerad|avanmäld|frameldt|afmeldt|avmeldt|peruutettu|poistunut
"""
_OTHERS = {
    ImportedStatus.PAUSED: "paused|snoozed|pausiert|en pause|en pausa|in pausa|gepauzeerd",
    ImportedStatus.UNCONFIRMED: (
        "pending|unconfirmed|unactivated|validating|nonsubscribed|non-subscribed|unbestätigt"
        "|non confirmé|en attente|pendiente|no confirmado|in attesa|non confermato|pendente"
        "|não confirmado|onbevestigd|niepotwierdzony|не подтвержден|未確認|仮登録|未确认|미확인"
    ),
    ImportedStatus.INVALID: "invalid|malformed|ungültig|invalide|inválido|non valido|ongeldig",
    ImportedStatus.BOUNCED: (
        "bounced|bounce|cleaned|hard bounce|hard bounced|undeliverable|unzustellbar|rebotado"
        "|rebote|rimbalzato|devolvido|отказ|不达|退信"
    ),
    ImportedStatus.BLOCKED: (
        "blocklisted|blacklisted|blocked|suppressed|banned|spammy|blockiert|bloqué|bloqueado"
        "|bloccato|geblokkeerd|zablokowany|заблокирован|ブロック|已屏蔽|차단"
    ),
    ImportedStatus.COMPLAINED: (
        "complained|complaint|spam|spam complaint|abuse|spam report|plainte|queja|reclamo|klacht"
    ),
}


def _words(text: str) -> list[str]:
    return [normal(word) for word in text.replace("\n", "").split("|")]


#: What status columns of any service may say.
WORDS: Words = {
    **{word: status for status, text in _OTHERS.items() for word in _words(text)},
    **dict.fromkeys(_words(_ACTIVE), ImportedStatus.SUBSCRIBED),
    **dict.fromkeys(_words(_LEFT), ImportedStatus.LEFT),
}

#: A column of moments at which people left, or of "yes" for those who did.
LEFT_IF_SAID: Words = {
    **dict.fromkeys(("", *NO), ImportedStatus.SUBSCRIBED),
    **dict.fromkeys(("never", "none", "null", "n/a", "-"), ImportedStatus.SUBSCRIBED),
    "*": ImportedStatus.LEFT,
}

#: A column that says "yes" for those who may be written to; whoever it does not say it of has left.
SUBSCRIBED_IF_SAID: Words = {
    **WORDS,
    **dict.fromkeys(YES, ImportedStatus.SUBSCRIBED),
    **dict.fromkeys(("", *NO), ImportedStatus.LEFT),
}


def only(*words: str) -> dict[str, ImportedStatus]:
    """Return some of the words."""
    return {word: WORDS[word] for word in words}
