"""What the name of a column says that it holds, in English, German and Portuguese."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType


def _word(words: str) -> str:
    r"""The pattern of one of some words. ``_`` is a space or none, and ``*`` any letters."""
    return rf"\b(?:{'|'.join(words.split()).replace('_', ' ?').replace('*', '[a-z]*')})\b"


def _all(words: str) -> str:
    """The pattern of a name that is one of some words and nothing else."""
    return f"^{_word(words)}$"


def _either(*patterns: str) -> str:
    return "|".join(patterns)


_BUYERS = "customers? cust clients? clientes? kunden? consumer comprador"
_MOVEMENTS = (
    "transactions? trans txn tx trx transaktions? transacao entry record row line booking buchungs? posting movement "
    "movimento lancamento payment zahlungs? pagamento event"
)
_ORDERS = (
    "order invoice rechnungs? bestell bestellung auftrags? pedido fatura nota beleg receipt bon basket bill ticket "
    "sale purchase voucher document compra venda cart"
)
_IDS = "ids? no nr num number nummer numero key code ref reference uuid guid"
_MOMENTS = "date time timestamp datum zeit tag data dt ts at on hora"
_BOUGHT = "bought ordered paid purchased sold"
_TOTALS = "payment order transaction purchase invoice line gross net total brutto netto gesamt sales?"
_LATE = _word(
    "valuta* value_date wert* settle* due updated modified processed approved delivered delivery shipped estimated "
    "expir* birth* valid loaded imported load faellig* until limit"
)
"""Names of times at which something was settled, changed or delivered, not bought."""

LAST_RANK, NO_NAME_RANK = 9, 5

ROLES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "customer": (
            _either(f"{_word(_BUYERS)} ?(?:unique )?{_word(_IDS)}", _word("kundennummer kundennr kundenid id_cliente")),
            _word(f"{_BUYERS} buyer kaeufer"),
            _word("member* mitglied* user* household haushalt subscriber policy_holder cpf cnpj person guest donor"),
            _word("account* acct acc konto* conta conto iban card karte*"),
            _word("holder owner payer debtor party auftraggeber zahlungspflichtiger? *konto"),
        ),
        "time": (
            _either(
                f"{_word(f'{_MOVEMENTS} {_ORDERS} {_BOUGHT} sales kauf')}.*{_word(_MOMENTS)}",
                r"\b(?:buchungs|kauf|bestell|rechnungs|beleg|transaktions|umsatz)(?:tag|datum|zeit|zeitpunkt)\b",
                _word("booked posted"),
            ),
            _all("date_time time_stamp zeitstempel zeitpunkt ts date datum data day tag time zeit when quando dt"),
            _word("date time timestamp datum data zeit created occurred executed"),
        ),
        "amount": (
            _either(
                _word("amount amt *betrag"),
                _all("valor value total umsatz importe montante? summe sum revenue sales turnover"),
            ),
            _either(f"{_word(_TOTALS)}.*{_word('value total price sum summe valor preis')}", _word("gesamtpreis")),
            _word("value valor total umsatz revenue sales sum summe turnover paid spent spend bezahlt pago montante?"),
        ),
        "quantity": (_word("quantity qty menge anzahl stueck stueckzahl quantidade qtde? units pieces cantidad"),),
        "price": (_word("price preis einzelpreis stueckpreis preco prix precio unit_price"),),
        "transaction": (
            f"{_word(_MOVEMENTS)} ?{_word(_IDS)}",
            _all("id uuid guid key laufnummer lfd_nr seq sequence"),
            _either(
                f"{_word(_ORDERS)} ?(?:{_word(_IDS)})?$",
                f"{_word(_IDS)} {_word(_ORDERS)}$",
                r"\b(?:rechnungs|bestell|auftrags|beleg)(?:nummer|nr|id)\b",
            ),
            _word("reference referenz ref"),
        ),
        "currency": (_word("currency ccy curr cur *waehrung moeda devise divisa moneda"),),
        "status": (_word("status situacao"), _all("state zustand estado stand")),
        "type": (
            _either(
                f"{_word(f'{_MOVEMENTS} {_ORDERS} operation umsatz vorgangs?')} ?{_word('type kind typ art')}",
                _word("umsatzart buchungsart vorgangsart belegart transaktionsart geschaeftsart umsatztyp"),
                rf"\btipo (?:de |da |do )?{_word('transacao movimento lancamento operacao')}",
            ),
            _all("type kind typ art tipo operation operacao vorgang action buchungstext"),
            _word("soll_haben s_h h_s debit_credit credit_debit dc dr_cr cr_dr d_c c_d indicator *kennzeichen"),
        ),
        "channel": (
            _word("channel *kanal canal vertriebsweg"),
            _word("medium outlet touchpoint platform source device"),
        ),
        "returned": (
            _word(
                "original orig reversed returned refunded reversal refund return storno stornierte? reverses refunds "
                "parent related ursprungs?"
            ),
        ),
        "debit": (_word("debits? soll withdrawals? paid_out money_out ausgang ausgaben belastung debito saida"),),
        "credit": (_word("credits? haben deposits? paid_in money_in eingang einnahmen gutschrift credito entrada"),),
    }
)
"""By role, the patterns of names; an earlier pattern tells more."""

_NOT: Mapping[str, str] = MappingProxyType(
    {
        "customer": _word(
            "name vorname nachname e_?mail type typ art segment group city state zip postcode plz country land balance "
            "saldo status phone address age birth gender since date datum amount betrag currency *waehrung "
            "kontostand kontoart kontotyp kontoname"
        ),
        "amount": _word(
            "balance saldo kontostand running tax vat mwst steuer fee gebuehr discount rabatt freight shipping frete "
            "quantity qty menge anzahl count rate kurs limit id no nr number nummer code percent date datum "
            "valuta* type typ"
        ),
        "price": _word("id list catalog"),
        "transaction": _word(
            "status date datum tag time type typ art amount betrag value total qty quantity item name channel currency "
            "customer client account konto original orig return returned refund refunded reversal reversed storno "
            "parent related text sequential priority"
        ),
        "currency": _word("rate amount kurs"),
        "status": _word("date customer marital time credit account"),
        "type": _word("customer account product card payment pagamento zahlungs zahlungsart"),
        "returned": _word("date datum amount betrag status reason grund currency price type city shipping"),
    }
)
"""By role, what says that a name is of something else."""

_USUAL_CURRENCIES = "EUR USD GBP BRL CHF JPY CAD AUD SEK NOK DKK PLN CZK HUF INR CNY MXN ZAR"
"""Those whose code is no word of a language."""


def words_of(name: str) -> str:
    """The words of a name in small letters: ``CustomerID`` is ``customer id``, ``Währung`` is ``waehrung``."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", parts).lower().translate(umlauts))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


@lru_cache(maxsize=50_000)
def rank_of(name: str, role: str) -> int | None:
    """How well a name fits a role: 0 is best; None if it does not.

    Of times, those at which something was settled, changed or delivered come last: they have `LAST_RANK`.
    """
    words = words_of(name)
    if role == "time" and re.search(_LATE, words):
        return LAST_RANK
    if role in _NOT and re.search(_NOT[role], words):
        return None
    return next((rank for rank, pattern in enumerate(ROLES[role]) if re.search(pattern, words)), None)


def currency_in(name: str) -> str | None:
    """The currency in the name of a column, such as ``amount_eur`` or ``Betrag (EUR)``."""
    words = words_of(name).upper().split()
    return next((word for word in words if word in _USUAL_CURRENCIES.split()), None)
