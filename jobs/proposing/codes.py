"""What the codes in a ledger mean: currencies, kinds of rows, statuses, and the two sides of an account."""

import re
from collections.abc import Sequence

from jobs.proposing.column_names import words_of

_ISO_4217 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"
)
_CURRENCIES = frozenset(_ISO_4217.split())

KINDS = {
    "reversal": re.compile(r"storno|stornier|revers|rueckbuch|\bvoid|annul|estorno|cancel"),
    "return": re.compile(
        r"refund|return|retour|rueckgabe|gutschrift|erstatt|devolu|reembolso|charge ?back|credit note|reimburs"
    ),
    "fee": re.compile(r"\bfees?\b|gebuehr|entgelt|tarifa|\btaxas?\b|commission|interest|zins|juros|\bcharges?\b"),
    "purchase": re.compile(
        r"purchase|sales?\b|payment|order|\bpos\b|\bcard|kauf|venda|compra|zahlung|pagamento|invoice|rechnung|debit|"
        r"lastschrift"
    ),
}
"""By the key of a mapping's `types`, the words that speak for it. The first that fits decides."""

_SIDES = (("s", "h"), ("d", "c"), ("dr", "cr"), ("soll", "haben"), ("debit", "credit"), ("debito", "credito"))
_FLAGS = (("false", "true"), ("0", "1"), ("no", "yes"), ("n", "y"), ("f", "t"), ("nein", "ja"), ("nao", "sim"))
_FINAL = re.compile(
    r"^(?:complet|finished|final|booked|settled|posted|paid|deliver|approved|succe|ok$|gebucht|erledigt|bezahlt|conclu|"
    r"aprovad|pago|confirm|captured|cleared|processed|done)"
)


def is_currency(cell: str) -> bool:
    """Whether a cell is the code of a currency."""
    return cell in _CURRENCIES


def kind_of(code: str) -> str | None:
    """What a type of rows is, as a key of `types`; None where its name does not say."""
    words = words_of(code)
    return next((kind for kind, pattern in KINDS.items() if pattern.search(words)), None)


def sides_of(codes: Sequence[str]) -> dict[str, str]:
    """The codes for debit and for credit, each with the key of `types` that may be meant; none for other codes."""
    words = {words_of(code): code for code in codes}
    for debit, credit in _SIDES:
        if set(words) == {debit, credit}:
            return {words[debit]: "purchase", words[credit]: "return"}
    return {}


def flags_of(codes: Sequence[str]) -> dict[str, str]:
    """The codes for no and yes of a column that marks returns, each with its key of `types`; none for other codes."""
    words = {words_of(code): code for code in codes}
    for no, yes in _FLAGS:
        if set(words) == {no, yes}:
            return {words[no]: "purchase", words[yes]: "return"}
    return {}


def final_statuses(codes: Sequence[str]) -> list[str]:
    """The statuses of rows that came to their end as they should."""
    return [code for code in codes if _FINAL.search(words_of(code))]
