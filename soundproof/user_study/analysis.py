"""What answers say: how often they are right and how surely, whether raters agree, and what explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.core.errors import ConfigError, DataError
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.statistics import blocked_tau, holm
from soundproof.statistics.proportions import clustered_interval, exact_interval
from soundproof.user_study.agreement import alpha
from soundproof.user_study.key import KitKey
from soundproof.user_study.power import EFFECTS, POWER, Shares, raters_needed, shares_of_variance
from soundproof.user_study.questions import CHANCE, KINDS, MAP, REPAIR

ALL = "all explainers"
MIN_EXPLAINERS = 3
"""Explainers without which no ranking is compared with another."""
RATERS = (
    Column("Rater", "rater"),
    Column("Answers", "n_answers"),
    Column("Right", "accuracy"),
    Column("Checks", "n_checks"),
    Column("Missed", "n_missed"),
    Column("Minutes", "minutes", digits=1),
    Column("Counted", "counted"),
)
ACCURACY = (
    Column("Question", "kind"),
    Column("Explainer", "title"),
    Column("Raters", "n_raters"),
    Column("Questions", "n_items"),
    Column("Right", "accuracy", "low", "high"),
    Column("Same questions", "accuracy", "raters_low", "raters_high"),
    Column("If independent", "accuracy", "exact_low", "exact_high"),
    Column("Best constant answer", "constant"),
    Column("Own map chosen", "preferred"),
    Column("Seconds", "seconds", digits=1),
)
AGREEMENT = (
    Column("Question", "kind"),
    Column("Raters", "n_raters"),
    Column("Questions", "n_items"),
    Column("Alpha", "alpha", "low", "high"),
)
CORRELATION = (
    Column("Question", "kind"),
    Column("Criterion", "title"),
    Column("Judges", "judges"),
    Column("Explainers", "n_explainers"),
    Column("tau-b", "tau"),
    Column("p", "p", digits=4),
    Column("p (Holm)", "p_holm", digits=4),
)
PLAN = (
    Column("Question", "kind"),
    Column("Right answers", "effect"),
    Column("Questions of a rater", "n_items"),
    Column("Raters: these questions", "raters_same_items"),
    Column("Raters: questions like these", "raters_new_items"),
)


@dataclass(frozen=True)
class Analysis:
    """Tables by name, in the order of reading, with their titles."""

    tables: Mapping[str, FinishedTable]
    titles: Mapping[str, str]


def analyse(
    answers: pd.DataFrame,
    key: KitKey,
    *,
    keep_inattentive: bool = False,
    effects: Sequence[float] = EFFECTS,
) -> Analysis:
    """Make the tables.

    Args:
        answers: From :func:`soundproof.user_study.answers.read_answers`.
        key: The kit's key.
        keep_inattentive: Count raters who missed a check as well.
        effects: Shares of right answers that raters are planned for.

    Raises:
        ConfigError: An effect that is no share above chance.
        DataError: Nobody attended.
    """
    for effect in effects:
        if not CHANCE < effect < 1:
            raise ConfigError(
                "a share of right answers to plan for",
                f"{effect:g}",
                f"name one above {CHANCE:g} and below 1",
            )
    raters = _raters(answers, keep_inattentive)
    counted = set(raters.frame.loc[raters.frame["counted"], "rater"])
    if not counted:
        raise DataError(
            "raters who attended",
            f"all {len(raters.frame)} missed a check of attention",
            "listen to the checks yourself; count all raters with --keep-inattentive if the checks are at fault",
        )
    kept = answers[answers["rater"].isin(counted) & ~answers["check"]]
    accuracy = _accuracy(kept, key)
    tables = {
        "accuracy": accuracy,
        "agreement": _agreement(kept),
        "correlation": _correlation(accuracy.frame, key),
        "raters_needed": _plan(kept, effects),
        "raters": raters,
    }
    titles = {
        "accuracy": "How often answers are right",
        "agreement": "Whether raters answer alike",
        "correlation": "Whether our criteria rank explainers as people do",
        "raters_needed": "How many raters an effect takes",
        "raters": "Who answered",
    }
    return Analysis(tables, titles)


def _raters(answers: pd.DataFrame, keep_inattentive: bool) -> FinishedTable:
    rows = []
    for (rater,), part in groups(answers, ["rater"]):
        checks, others = part[part["check"]], part[~part["check"]]
        missed = int((~checks["correct"]).sum())
        rows.append(
            {
                "rater": rater,
                "n_answers": len(part),
                "accuracy": float(others["correct"].mean()),
                "n_checks": len(checks),
                "n_missed": missed,
                "minutes": float(part["seconds"].sum()) / 60,
                "counted": keep_inattentive or missed == 0,
            }
        )
    frame = pd.DataFrame(rows)
    caption = "Right: share of right answers, checks apart. Who misses a check of attention is not counted"
    caption += ", unless asked for; here all are." if keep_inattentive else "."
    left_out = int((~frame["counted"]).sum())
    warnings = (
        [f"{left_out} of {len(frame)} raters are not counted: they missed a check."] if left_out else []
    )
    if not frame["n_checks"].any():
        warnings.append("There was no check of attention: nothing tells who read the questions.")
    return FinishedTable(frame, caption, RATERS, tuple(warnings))


def _accuracy(answers: pd.DataFrame, key: KitKey) -> FinishedTable:
    caption = (
        "Share of right answers; chance: 0.5. In brackets 95 % intervals. First for other raters and other "
        "questions like these (raters and questions as clusters), then for other raters and these very "
        "questions, then the exact one that would hold if all answers were independent, which they are not. "
        "Best constant answer: of questions about repairs, what always saying yes (or no) reaches. Own map "
        "chosen: of questions about maps, how often the explainer's map was chosen, right or not."
    )
    return FinishedTable(pd.DataFrame(list(_shares(answers, key))), caption, ACCURACY)


def _shares(answers: pd.DataFrame, key: KitKey) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        of_kind = answers[answers["kind"].eq(kind)]
        if of_kind.empty:
            continue
        yield {"kind": kind, "explainer": "", "title": ALL, **_share(of_kind)}
        for label, title in key.explainers.items():
            own = of_kind[of_kind["of"].eq(label)]
            if len(own):
                yield {"kind": kind, "explainer": label, "title": title, **_share(own)}


def _share(answers: pd.DataFrame) -> dict[str, Any]:
    correct = answers["correct"].to_numpy(np.float64)
    raters, items = answers["rater"].to_numpy(), answers["question"].to_numpy()
    exact = exact_interval(correct.sum(), len(correct))
    of_raters, of_both = clustered_interval(correct, raters), clustered_interval(correct, raters, items)
    truths = answers.drop_duplicates("question")["truth"]
    under = np.where(answers["choice"].eq("a"), answers["a"], answers["b"])
    kinds = set(answers["kind"])
    return {
        "n_raters": answers["rater"].nunique(),
        "n_items": answers["question"].nunique(),
        "n_answers": len(answers),
        "accuracy": exact.value,
        "low": of_both.low,
        "high": of_both.high,
        "raters_low": of_raters.low,
        "raters_high": of_raters.high,
        "exact_low": exact.low,
        "exact_high": exact.high,
        # of other kinds the letters of the answers are drawn, and nobody sees them
        "constant": float(truths.value_counts(normalize=True).max()) if kinds == {REPAIR} else np.nan,
        "preferred": float((under == answers["of"]).mean()) if kinds == {MAP} else np.nan,
        "seconds": float(answers["seconds"].median()),
    }


def _agreement(answers: pd.DataFrame) -> FinishedTable:
    rows = []
    for kind in KINDS:
        of_kind = answers[answers["kind"].eq(kind)]
        if len(of_kind):
            found = alpha(of_kind)
            counts = {"n_raters": of_kind["rater"].nunique(), "n_items": of_kind["question"].nunique()}
            rows.append({"kind": kind, **counts, "alpha": found.value, "low": found.low, "high": found.high})
    caption = (
        "Krippendorff's alpha of the answers given, right or wrong: 1 if all raters answer alike, 0 if they "
        "agree as often as drawn answers would, below 0 if less often. In brackets a 95 % jackknife interval "
        "over questions."
    )
    return FinishedTable(pd.DataFrame(rows), caption, AGREEMENT)


def _correlation(accuracy: pd.DataFrame, key: KitKey) -> FinishedTable:
    caption = (
        "Kendall's tau-b between the share of right answers of each explainer and its mean in the study's "
        "criteria over the explained clips, turned so that more is better. p: over all orders of the "
        "explainers, against chance; Holm's correction over the rows. Of n explainers the smallest p is 2 / "
        "n!: a few decide nothing, and each share rests on few questions."
    )
    metrics = key.metrics.assign(
        turned=key.metrics["value"].where(key.metrics["higher_is_better"], -key.metrics["value"])
    )
    rows = []
    for kind in (MAP, REPAIR):
        of_kind = accuracy[accuracy["kind"].eq(kind) & accuracy["explainer"].ne("")]
        shares = of_kind.set_index("explainer")["accuracy"]
        for (criterion,), part in groups(metrics, ["criterion"]):
            values = part.set_index("explainer")["turned"]
            both = pd.concat([shares, values], axis=1, join="inner").dropna()
            if len(both) < MIN_EXPLAINERS:
                continue
            tau, p = blocked_tau(both.to_numpy(np.float64)[np.newaxis], key.study, kind, criterion)
            first = part.iloc[0]
            about = {"kind": kind, "criterion": criterion, "title": first["title"], "judges": first["judges"]}
            rows.append({**about, "n_explainers": len(both), "tau": float(tau[0, 1]), "p": float(p[0, 1])})
    if not rows:
        reason = f"fewer than {MIN_EXPLAINERS} explainers with answers and a criterion in common"
        return absent(reason, CORRELATION, caption)
    frame = pd.DataFrame(rows).assign(p_holm=np.nan)
    known = frame["p"].notna()
    frame.loc[known, "p_holm"] = holm(frame.loc[known, "p"].to_numpy(np.float64))
    return FinishedTable(frame, caption, CORRELATION)


def _plan(answers: pd.DataFrame, effects: Sequence[float]) -> FinishedTable:
    caption = (
        f"Raters who find with a power of {POWER:.0%} that this share of right answers is no chance "
        "(two-sided, 5 %), if raters and questions differ as they did here and each rater answers as many "
        "questions. For these questions alone, and for questions like these; a dash: so few questions do not "
        "suffice, however many answer."
    )
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        of_kind = answers[answers["kind"].eq(kind)]
        complete = of_kind.pivot_table(index="rater", columns="question", values="correct", aggfunc="first")
        complete = complete.dropna()
        if min(complete.shape) < 2:
            continue
        shares = shares_of_variance(complete.to_numpy(np.float64))
        rows += _plans(kind, complete.shape[1], shares, effects)
    if not rows:
        return absent("fewer than two raters with all answers to two questions of a kind", PLAN, caption)
    frame = pd.DataFrame(rows)
    whole = dict.fromkeys(("raters_same_items", "raters_new_items"), "Int64")
    return FinishedTable(frame.astype(whole), caption, PLAN)


def _plans(kind: str, n_items: int, shares: Shares, effects: Sequence[float]) -> Iterator[dict[str, Any]]:
    for effect in effects:
        yield {
            "kind": kind,
            "effect": effect,
            "n_items": n_items,
            "share_raters": shares.raters,
            "share_items": shares.items,
            "raters_same_items": raters_needed(effect, n_items, shares, same_items=True),
            "raters_new_items": raters_needed(effect, n_items, shares),
        }
