"""Every line that is written is read back as the same, and loose spelling reads as meant."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import kinds, nick, price, product, reference, wait
from market.fields import field_of
from market.kinds import Line
from market.lines import parse
from market.misread import Refused
from market.reference import Noun

NEED, HAVE, OFFER, DEAL = "N-7k2m9qxa", "H-7k2m9qxa", "O-7k2m9qxa", "X-7k2m9qxa"


def _takes(check: object, text: str) -> bool:
    try:
        return bool(check(text))  # type: ignore[operator]
    except Refused:
        return False


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=40)
PRODUCTS = st.one_of(
    st.sampled_from(["chat-logs #ubuntu", "persona alice", "budget 5", "a: b", "**x", "7"]),
    ANY_TEXT.filter(lambda text: _takes(product.normal, text)),
)
NOTES = st.one_of(
    st.just(""),
    st.sampled_from(["DM me", "3 days", "by the way", "identical", "$5", "a: b"]),
    ANY_TEXT.filter(lambda text: _takes(product.note, text) or not text),
)
NICKS = st.one_of(
    st.sampled_from(
        ["alice", "ash|away", "|x|", "[bot]", "ünal", "Ольга", "田中さん", "7_7", "a-b"]
    ),
    st.from_regex(r"[A-Za-z\[\]\\`_^{|}][\w\[\]\\`^{|}-]{0,15}", fullmatch=True).filter(
        lambda text: _takes(nick.normal, text)
    ),
)
PRICES = st.integers(1, price.MOST_MICROCREDITS)
WAITS = st.integers(0, wait.LONGEST_S)


def _ids(*nouns: Noun) -> st.SearchStrategy[str]:
    tail = st.text(reference.ALPHABET, min_size=reference.LENGTH, max_size=reference.LENGTH)
    return st.builds(lambda noun, rest: f"{noun}-{rest}", st.sampled_from(nouns), tail)


def _note(kind: type[Line]) -> st.SearchStrategy[str]:
    return NOTES.filter(lambda text: not field_of(product.note(text), kind.FIELDS))


def _offers(kind: type[Line], about: str, *nouns: Noun) -> st.SearchStrategy[Line]:
    return st.builds(
        kind,
        **{about: _ids(*nouns)},
        price_microcredits=PRICES,
        eta_s=st.none() | WAITS,
        id=st.none() | _ids(Noun.OFFER),
        note=_note(kind),
    )


ACTS: tuple[type[kinds.Act], ...] = (
    kinds.Take,
    kinds.Decline,
    kinds.Pass,
    kinds.Cancel,
    kinds.Done,
    kinds.Failed,
    kinds.Paid,
)
LINES: dict[type[Line], st.SearchStrategy[Line]] = {
    kinds.Need: st.builds(
        kinds.Need,
        product=PRODUCTS,
        budget_microcredits=PRICES,
        by_s=st.none() | st.integers(1, wait.LONGEST_S),
        id=st.none() | _ids(Noun.NEED),
        note=_note(kinds.Need),
    ),
    kinds.Have: st.builds(
        kinds.Have,
        product=PRODUCTS,
        price_microcredits=PRICES,
        id=st.none() | _ids(Noun.HAVE),
        note=_note(kinds.Have),
    ),
    kinds.Offer: _offers(kinds.Offer, "need", Noun.NEED),
    kinds.Counter: _offers(kinds.Counter, "offer", Noun.OFFER, Noun.HAVE),
    kinds.Deal: st.tuples(NICKS, NICKS)
    .filter(lambda two: two[0].casefold() != two[1].casefold())
    .flatmap(
        lambda two: st.builds(
            kinds.Deal,
            buyer=st.just(two[0]),
            seller=st.just(two[1]),
            product=PRODUCTS,
            price_microcredits=PRICES,
            id=st.none() | _ids(Noun.DEAL),
        )
    ),
    kinds.NotUnderstood: st.builds(
        kinds.NotUnderstood, why=NOTES.filter(lambda text: product.note(text) != "")
    ),
    **{act: st.builds(act, about=_ids(*act.NOUNS), reason=NOTES) for act in ACTS},
}


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.WORD)
@given(data=st.data())
def test_what_is_written_is_read_back_as_the_same(kind: type[Line], data: st.DataObject) -> None:
    line = data.draw(LINES[kind])
    assert parse(str(line)) == line
    assert "\n" not in str(line)


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    for word in ("", "NEED:", "HAVE: x |", f"OFFER {NEED}:", "DEAL: a <-> b | x |", "TAKE O-"):
        parse(f"{word}{text}")


def _cased(word: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word.upper(), word.lower(), word.title()])


BLANKS = st.sampled_from(["", " ", "   ", "\t", "\N{NO-BREAK SPACE}"])
CURRENCIES = st.sampled_from(
    ["{}", "${}", "$ {}", "US${}", "{} USDC", "${} USDC", "usdc {}", "{}$", "{} credits", "{} Cr"]
)


@given(
    word=st.sampled_from(["need", "want"]).flatmap(_cased),
    budget=_cased("budget"),
    by=_cased("by"),
    colon=st.sampled_from([" ", ": ", ":", " = "]),
    currency=CURRENCIES,
    blanks=st.tuples(*[BLANKS] * 7),
    bold=st.sampled_from(["{}", "**{}**"]),
    minutes=st.sampled_from(["120s", "2m", "2 min", "2 Minutes", "120 sec"]),
    turned=st.booleans(),
)
def test_a_need_reads_the_same_however_it_is_spelt(
    *,
    word: str,
    budget: str,
    by: str,
    colon: str,
    currency: str,
    blanks: tuple[str, ...],
    bold: str,
    minutes: str,
    turned: bool,
) -> None:
    a, b, c, d, e, f, g = blanks
    fields = [f"{budget}{colon}{currency.format('0.05')}", f"{by}{colon}{minutes}"]
    first, second = reversed(fields) if turned else fields
    text = f"{a}{bold.format(word)}{b}:{c}chat-logs{g} #ubuntu{d}|{e}{first}{f}|{second}{a}"
    assert parse(text) == kinds.Need(
        product="chat-logs #ubuntu", budget_microcredits=50_000, by_s=120
    )


@given(
    word=_cased("deal"),
    arrow=st.sampled_from(["<->", "↔", "\u2194\ufe0f", "<=>", "<>", "<-->"]),
    currency=CURRENCIES,
    blanks=st.tuples(*[BLANKS] * 6),
)
def test_a_deal_reads_the_same_however_it_is_spelt(
    word: str, arrow: str, currency: str, blanks: tuple[str, ...]
) -> None:
    a, b, c, d, e, f = blanks
    text = f"{word}{a}:{b}ann{c}{arrow}{d}bob{e}|{f}logs{a}|{b}{currency.format('1.5')}"
    assert parse(text) == kinds.Deal(
        buyer="ann", seller="bob", product="logs", price_microcredits=1_500_000
    )


@given(act=st.sampled_from(ACTS), data=st.data())
def test_an_id_is_read_in_any_case(act: type[kinds.Act], data: st.DataObject) -> None:
    about = data.draw(_ids(*act.NOUNS))
    typed = f"{data.draw(_cased(act.WORD))} {data.draw(st.sampled_from([about, about.upper()]))}"
    assert parse(typed + data.draw(st.sampled_from(["", ".", "!", " "]))) == act(about=about)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("HAVE: x | $0.01 USDC | text", "HAVE: x | 0.01 | text"),
        ("NEED: x | Budget: $0.05 USDC | DM me", "NEED: x | budget 0.05 | DM me"),
        ("NEED: x | DM me | budget 5", "NEED: x | budget 5.00 | DM me"),
        ("DEAL: a <-> b | x | $0.01", "DEAL: a <-> b | x | 0.01"),
        ("DEAL: ash|away <-> bob | x | 2", "DEAL: ash|away <-> bob | x | 2.00"),
        ("want: x|5", "NEED: x | budget 5.00"),
        ("**NEED: x** | **Budget:** $5 | **by 1h**", "NEED: x | budget 5.00 | by 3600s"),
        (f"offer {NEED} 4", f"OFFER {NEED}: 4.00"),
        (f"OFFER {NEED}: soon | price 4 | eta 0s", f"OFFER {NEED}: 4.00 | eta 0s | soon"),
        (f"Counter {HAVE}: $2 | id {OFFER}", f"COUNTER {HAVE}: 2.00 | id {OFFER}"),
        (f"accept {OFFER}", f"TAKE {OFFER}"),
        (f"TAKE: {OFFER}", f"TAKE {OFFER}"),
        (f"reject {OFFER} | too dear", f"DECLINE {OFFER} | too dear"),
        (f"refuse {NEED}|busy", f"PASS {NEED} | busy"),
        (f"fail {DEAL}", f"FAILED {DEAL}"),
        ("not understood: say it again", "NOT-UNDERSTOOD: say it again"),
    ],
)  # fmt: skip
def test_what_bots_and_people_type_has_one_canonical_form(typed: str, canonical: str) -> None:
    line = parse(typed)
    assert isinstance(line, Line)
    assert str(line) == canonical


def test_kinds_with_the_same_content_are_not_equal() -> None:
    lines: set[Line] = {kinds.Take(about=OFFER), kinds.Decline(about=OFFER)}
    assert len(lines) == 2


def test_no_line_of_ascii_outgrows_an_irc_line() -> None:
    most: dict[str, object] = {
        "product": "p" * product.LONGEST,
        "note": "n" * product.LONGEST_NOTE,
        "buyer": "b" * nick.LONGEST,
        "seller": "s" * nick.LONGEST,
    }
    least = price.MOST_MICROCREDITS - 1
    need = kinds.Need(
        product=str(most["product"]),
        budget_microcredits=least,
        by_s=wait.LONGEST_S,
        id=NEED,
        note=str(most["note"]),
    )
    deal = kinds.Deal(
        buyer=str(most["buyer"]),
        seller=str(most["seller"]),
        product=str(most["product"]),
        price_microcredits=least,
        id=DEAL,
    )
    # 512 bytes less ":nick!user@host PRIVMSG #market :" and the line's end
    assert max(len(str(need)), len(str(deal))) <= 400


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.WORD)
def test_lines_cannot_be_changed(kind: type[Line]) -> None:
    name = dataclasses.fields(kind)[0].name
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert name in kind.__dataclass_fields__
