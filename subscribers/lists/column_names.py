"""What columns are called in many languages: those that are read, and those that do no harm.

A column that is neither may say who left, and is asked about. See
docs/decisions/a-doubtful-list-stops.md.
"""

import re

from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.statuses import normal

_READ = {
    ColumnMeaning.EMAIL: """
        email|e-mail|email address|e-mail address|emailaddress|mail|mail address|subscriber email
        |contact email|e-mail-adresse|email-adresse|emailadresse|mailadresse|adresse e-mail
        |adresse email|adresse mail|courriel|correo|correo electrónico|correo electronico
        |dirección de correo|indirizzo email|indirizzo e-mail|endereço de e-mail|endereço de email
        |e-mailadres|emailadres|email adres|adres e-mail|adres email|e-postadress|e-post|epost
        |e-mailadresse|sähköposti|e-mailová adresa|e-posta|eposta|メールアドレス|メール|eメール|邮箱
        |电子邮件|电子邮箱|邮件地址|電子郵件|電子信箱|электронная почта|эл. почта|почта|имейл|이메일
        |이메일 주소|메일
    """,
    ColumnMeaning.NAME: """
        name|full name|fullname|display name|vollständiger name|nom complet|nombre completo
        |nome completo|volledige naam|naam|имя и фамилия|фио|氏名|お名前|名前|姓名|이름|성명|navn
        |namn|nimi|ad soyad|jméno a příjmení|imię i nazwisko
    """,
    ColumnMeaning.FIRST_NAME: """
        first name|firstname|given name|forename|fname|vorname|prénom|prenom|nombre|nome|voornaam
        |imię|имя|名|förnamn|fornavn|etunimi|ad|jméno
    """,
    ColumnMeaning.LAST_NAME: """
        last name|lastname|surname|family name|lname|nachname|familienname|nom|nom de famille
        |apellido|apellidos|cognome|sobrenome|apelido|achternaam|nazwisko|фамилия|姓|efternamn
        |etternavn|efternavn|sukunimi|soyad|příjmení
    """,
    ColumnMeaning.TOPICS: """
        topics|topic|interests|interest|themen|thema|interessen|thèmes|centres d'intérêt|temas
        |intereses|temi|interessi|interesses|onderwerpen|tematy|темы|интересы|トピック|主题|兴趣
    """,
    ColumnMeaning.TAGS: """
        tags|tag|labels|label|schlagworte|étiquettes|etiquetas|etichette|теги|タグ|标签
    """,
    ColumnMeaning.ZONE: """
        timezone|time zone|zeitzone|fuseau horaire|zona horaria|fuso orario|tijdzone
    """,
    ColumnMeaning.FREQUENCY: "frequency",
    ColumnMeaning.JOINED: """
        joined|subscribed at|created at|joined at|created|date joined|date added|date subscribed
        |subscribe date|signup date|sign-up date|sign up date|signed up|signed up at|added time
        |added at|create date|created on|creation date|date created|registered|registered at
        |registration date|anmeldedatum|angemeldet am|erstellt am|eingetragen am
        |date d'inscription|inscrit le|fecha de alta|fecha de inscripción|data di iscrizione
        |data de inscrição|inschrijfdatum|data zapisu|дата подписки|登録日|注册时间|订阅时间
    """,
    ColumnMeaning.SUPPRESSED: "suppressed",
    ColumnMeaning.PAUSED_UNTIL: "paused until",
    ColumnMeaning.STATUS: "status",
    ColumnMeaning.LEFT: "left",
    ColumnMeaning.NOTHING: "source",
}  # fmt: skip

#: What a list of no known kind may call a column, and what that says.
READ = {normal(name): meaning for meaning, names in _READ.items() for name in names.split("|")}

# A name made of these words alone is harmless: "default address city", "mobile phone number".
_HARMLESS = """
    first last middle full given family nick maiden name names namn navn naam nom prénom nombre
    apellido apellidos cognome nome sobrenome vorname nachname nachnamen zweitname imię
    nazwisko имя фамилия отчество initials salutation anrede titel title titre civilité
    tratamiento titolo aanhef prefix suffix address addresses adresse adressen anschrift
    dirección direccion indirizzo endereço adres адрес street straße strasse strasse. rue calle
    via rua straat ulica улица hausnummer house default billing shipping home work postal
    mailing business private line city town ort stadt ville ciudad città cidade plaats stad
    miasto город zip zipcode plz postcode postleitzahl code cap cep почтовый индекс country
    land pays país pais paese kraj страна countrycode region bundesland province provincia
    provincie województwo область регион county district départment département location geo
    latitude longitude lat lng lon coordinates phone telephone telefon telefonnummer handy
    mobil mobile cell fax tel téléphone portable teléfono telefono móvil cellulare celular
    telefone telefoon telefoonnummer komórka телефон number numéro número numero nummer numer
    номер company companies firma unternehmen organisation organization organización entreprise
    société empresa azienda società bedrijf spółka компания employer associated account
    department abteilung job role position beruf funktion profession puesto cargo stanowisko
    должность industry branche birthday birthdate birth geburtstag geburtsdatum dob naissance
    nacimiento nascita nascimento geboortedatum urodzenia рождения gender geschlecht sex genre
    género sesso gênero geslacht płeć пол age alter âge edad età idade leeftijd wiek возраст
    language sprache langue idioma lingua taal język язык locale website webseite homepage url
    site web linkedin twitter facebook instagram github avatar photo id uuid guid kundennummer
    customer kunden client cliente klant klient record member contact owner leid euid cc ip
    note notes notiz notizen anmerkung bemerkung kommentar comment comments remarque
    commentaire nota notas note commento opmerking uwagi komentarz примечание комментарий utm
    source medium campaign term content referrer referer referring landing page latest rating
    opens clicks gmtoff dstoff tier plan 住所 電話 電話番号 携帯 携帯電話 生年月日 誕生日 会社
    会社名 部署 役職 都道府県 市区町村 郵便番号 性別 年齢 国 備考 フリガナ ふりがな セイ メイ
    电话 手机 手机号 城市 地址 公司 职位 生日 出生日期 性别 年龄 国家 省份 邮编 备注 語言
    电话号码 전화 전화번호 휴대폰 주소 회사 회사명 생년월일 성별 나이 도시 국가 우편번호 메모
    ville şehir adres ülke telefonu firması città stato-civile kaupunki stad puhelin by
"""
_WORDS = frozenset(_HARMLESS.split())
_PHRASES = """
    date of birth|birth date|date de naissance|fecha de nacimiento|data di nascita
    |data urodzenia|data de nascimento|дата рождения|code postal|código postal|codice postale
    |kod pocztowy|почтовый индекс|create date|last modified|last updated|updated at|modified time
    |last changed|modified at|updated|modified|last activity date|last activity|last seen
    |last opened|last clicked|last open date|last click date|avg open rate|average open rate
    |average click rate|open rate|click rate|member rating|optin ip|confirm ip|signup ip
    |sign up ip|ip address|signup source|sign up source|signup form|total spent|total orders
    |number of orders|tax exempt|state/province|address state|billing state|shipping state
    |external id|contact owner|stadt/ort|plz/ort|firma/organisation|country/region
    |código postal|estado civil
"""
_NAMES = frozenset(map(normal, _PHRASES.split("|")))

_BRACKETS = re.compile(r"\([^)]*\)")
_APART = re.compile(r"[\W\d_]+")

# Parts of words, in many languages, by which somebody says that they do not want mail. Only
# suggestions are made from these: what no part is found in is asked about all the same.
_LEAVES = re.compile(
    r"unsub|opt.?out|opted.?out|do.?not|don.?t|\bdnc\b|\bdnm\b|no.?mail|no.?email|bounc|clean"
    r"|complain|spam|block|black|suppress|delet|disabl|remov|revok|withdraw|declin|\bleft\b|cancel"
    r"|inactiv|ended|exclu|abmeld|abgemeld|abbestell|austrag|ausgetrag|kündig|gekündig|widerruf"
    r"|widersp|gesperrt|sperr|gelöscht|désab|desab|désins|resili|résili|retir|\bbaja\b|desuscri"
    r"|cancela|disiscri|cancella|descadastr|afmeld|afgemeld|uitgeschr|uitschr|opgezeg|opzeg|wypis"
    r"|rezygn|usuni|отпис|отказ|удал|заблок|退会|解除|停止|退订|退訂|取消|拒|해지|탈퇴|거부|취소|çık|iptal"
    r"|odhl|avslut|avregist|avanm|frameld|afmeldt|avmeld|peruut|poist"
)
_SUBSCRIBES = re.compile(
    r"subscri|opt.?in|opted.?in|accept|consent|permission|agree|receive|active|enabled|wants"
    r"|newsletter|marketing|mailing|allow|einwillig|zustimm|erlaub|aktiv|abonn|inscri|consent"
    r"|acepta|suscri|iscri|accett|aceita|toestem|zgoda|соглас|подпис|同意|購読|订阅|訂閱|許可|동의|구독"
)


def is_harmless(column: str) -> bool:
    """Return whether a column of this normal name, in no known list, can hardly say who left."""
    bare = " ".join(_BRACKETS.sub(" ", column).split())
    words = _APART.sub(" ", bare).split()
    return bare in _NAMES or (bool(words) and _WORDS.issuperset(words))


def sounds_like_leaving(text: str) -> bool:
    return bool(_LEAVES.search(text))


def sounds_like_subscribing(text: str) -> bool:
    return bool(_SUBSCRIBES.search(text))
