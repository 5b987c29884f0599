"""What each step between two runs did to one customer, in sentences."""

from collections.abc import Iterator, Mapping, Sequence

from jobs.cli.printable import counted
from jobs.explaining.rescoring import Movement, Place, Step
from jobs.explaining.words import (
    band_in_words,
    is_plural,
    purchases_in_words,
    segment_in_words,
    value_in_words,
)
from transforms.changes import step_in_words
from transforms.rfm.scores import amount_in_words

CAUSES: Mapping[str, str] = {
    "past_data": "the data of the past changed",
    "new_purchases": "of what was bought or returned since",
    "time_passed": "time passed",
    "cut_points": "the cut points changed",
    "segment_map": "the segment map changed",
}
"""The causes of a customer who is in both runs, after "because"."""


def step_sentences(movement: Movement, steps: Sequence[Step]) -> list[str]:
    """A sentence for each step: what changed in it, and what that did to scores and segment."""
    facts = {
        "past_data": _past_data(movement),
        "new_purchases": _new_purchases(movement),
        "time_passed": _time_passed(movement),
        "cut_points": _cut_points(movement),
        "segment_map": _segment_map(movement),
    }
    return [_sentence(step, *facts[step.name]) for step in steps]


def _sentence(step: Step, fact: str, is_change: bool) -> str:
    text = f"{step_in_words(step.name).capitalize()}: {fact}"
    effect = _effect(step) if is_change else ""
    return f"{text}; {effect}." if effect else f"{text}."


def _past_data(movement: Movement) -> tuple[str, bool]:
    since, differences = movement.before.as_of, movement.differences
    if not differences:
        return f"both runs have the same purchases up to {since}", False
    parts = [f"added {purchases_in_words(differences.added)}"] if differences.added else []
    parts += [f"removed {purchases_in_words(differences.gone)}"] if differences.gone else []
    parts += [
        f"the value of {then.day} is {amount_in_words(now.value)} now, and was {amount_in_words(then.value)}"
        for then, now in differences.revalued
    ]
    return f"up to {since}, {'; '.join(parts)}", True


def _new_purchases(movement: Movement) -> tuple[str, bool]:
    new = movement.new_purchases
    return (f"{purchases_in_words(new)} since {movement.before.as_of}", True) if new else ("none", False)


def _time_passed(movement: Movement) -> tuple[str, bool]:
    since, as_of = movement.before.as_of, movement.now.as_of
    last, left = movement.now.place.measures, movement.purchases_that_left
    parts = []
    if left:
        parts.append(f"{purchases_in_words(left)} left the window, which begins on {movement.now.first_day}")
    if last is not None and since < as_of:
        fact = f"the last purchase is {counted(last.days_since_last_purchase, 'day')} ago now"
        was = (since - last.last_purchase).days
        parts.append(f"{fact}, {counted(was, 'day')} as of {since}" if was >= 0 else fact)
    return ("; ".join(parts), True) if parts else ("both runs are as of the same day", False)


def _cut_points(movement: Movement) -> tuple[str, bool]:
    old, new = movement.before.scoring, movement.now.scoring
    is_same = all(
        (old.bands[letter].cut_points, old.bands[letter].scores) == (bands.cut_points, bands.scores)
        for letter, bands in new.bands.items()
    )
    return ("the same in both runs", False) if is_same else ("changed", True)


def _segment_map(movement: Movement) -> tuple[str, bool]:
    old, new = movement.before.scoring.segment_map, movement.now.scoring.segment_map
    if old.hash == new.hash:
        return "the same in both runs", False
    names = "" if old.name == new.name else f", {new.name} in place of {old.name}"
    return f"this run has another one{names}", True


def _effect(step: Step) -> str:
    """What a step did to scores and segment."""
    before, after = step.before, step.after
    if before.measures is None or after.measures is None:
        return _begins_or_ends(before, after)
    letters = [letter for letter in after.scores if before.scores[letter] != after.scores[letter]]
    moved = [_score(step, letter) for letter in letters]
    old, new = segment_in_words(before.segment), segment_in_words(after.segment)
    if step.name == "segment_map":
        cell = "".join(map(str, after.scores.values()))
        return f"the scores {cell} are {new} in it" + (f", and were {old}" if step.changes_segment else ", as before")
    if not moved:
        return "no score changes"
    segment = f"the segment from {old} to {new}" if step.changes_segment else f"the segment stays {new}"
    return f"{'; '.join(moved)} and {segment}" if step.changes_segment else f"{'; '.join(moved)}; {segment}"


def _begins_or_ends(before: Place, after: Place) -> str:
    if after.measures is None:
        return "no purchase is left then, and so no segment" if before.measures else "there is no purchase yet"
    cell = "".join(map(str, after.scores.values()))
    return f"with that the scores are {cell}, and the segment is {segment_in_words(after.segment)}"


def _score(step: Step, letter: str) -> str:
    """How a score changed: by the band that the measure left or, upwards, reached; or by cut points."""
    before, after = step.before, step.after
    was, now = before.scores[letter], after.scores[letter]
    old_bands, new_bands = before.scoring.bands[letter], after.scoring.bands[letter]
    if step.name == "cut_points":
        value = after.measures.of_letter(letter) if after.measures else 0
        then_in, now_in = old_bands.in_words(old_bands.position(value)), new_bands.in_words(new_bands.position(value))
        limits = f"{value_in_words(new_bands.measure, value)} scored {was} ({then_in}) and now {now} ({now_in})"
    else:
        score = max(was, now)
        words = band_in_words(new_bands, new_bands.scores.index(score))
        limits = f"{words} {'score' if is_plural(words) else 'scores'} {score}"
    return f"{limits}, so {letter.upper()} went from {was} to {now}"


def why_new(movement: Movement) -> Iterator[str]:
    """Why a customer is in the later run alone."""
    since = movement.before.as_of
    bought = [purchase for purchase in movement.now.purchases if not purchase.is_return]
    past = [purchase for purchase in bought if purchase.day <= since]
    if past:
        yield (
            f"Up to {since}, this run has {purchases_in_words(past)}, and the run before has none. Such rows came in "
            "late, or another setting counts them now."
        )
    else:
        yield f"The first purchase in this run's data is after {since}: {purchases_in_words(bought)}."


def why_vanished(movement: Movement) -> Iterator[str]:
    """Why a customer is in the earlier run alone."""
    left, differences = movement.purchases_that_left, movement.differences
    if left:
        yield f"{_capital(purchases_in_words(left))} left the window, which begins on {movement.now.first_day} now."
    if differences.gone:
        yield (
            f"No longer among this run's purchases: {purchases_in_words(differences.gone)}. Such rows are not in the "
            "files any more, are quarantined, or are excluded by another setting."
        )
    if movement.now.purchases:
        yield f"This run has {purchases_in_words(movement.now.purchases)}: nobody is a customer for returns alone."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
