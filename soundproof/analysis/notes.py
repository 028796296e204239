"""What a caption must say about single axes: their settings, and where their errors come from."""

from __future__ import annotations

from soundproof.analysis.bands import quality_rho, rho_summary
from soundproof.analysis.frames import means, records
from soundproof.analysis.measures import select
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.localisation.aupro_parts import FALSE_POSITIVES
from soundproof.storage.measurements import UNIFORM


def aupro_note(results: StudyResults) -> str:
    """Settings of AU-PRO, and where the false positives of the highest map lie; empty where it was not measured."""
    areas = select(results, "aupro", ("",), per_clip=False)
    regions = select(results, "aupro_regions", ("counted", "ignored"), per_clip=False)
    if areas.empty or regions.empty:
        return ""
    keys = ["detector", "explainer"]
    one = regions[regions["explainer"].eq(regions["explainer"].iloc[0])]
    one = one[one["detector"].eq(one["detector"].iloc[0]) & one["seed"].eq(one["seed"].iloc[0])]
    counts = one.groupby("protocol")["value"].sum()
    text = (
        f" AU-PRO: area up to a false-positive rate of {areas['parameter'].iloc[0]:g} over regions of at least "
        f"{regions['parameter'].iloc[0]:g} cells ({counts['counted']:.0f}; {counts['ignored']:.0f} smaller ones "
        "are "
        "ignored, neither regions nor false positives); its interval is of the clips' influences on it (jackknife)."
    )
    best = records(means(areas, keys).sort_values("value", ascending=False, kind="stable").head(1))[0]
    places = select(
        results,
        "aupro_false_positives",
        [f"{prefix}{place}" for place in FALSE_POSITIVES for prefix in ("", f"{UNIFORM}_")],
        per_clip=False,
    )
    places = places[places["detector"].eq(best["detector"]) & places["explainer"].eq(best["explainer"])]
    if places.empty:
        return text
    shares = places.groupby("protocol")["value"].mean()
    told = ", ".join(
        f"{shares[place]:.0%} {words} ({shares[f'{UNIFORM}_{place}']:.0%})"
        for place, words in FALSE_POSITIVES.items()
    )
    who = f"{results.explainer_title(best['explainer'])} of {results.detector_title(best['detector'])}"
    return f"{text} False positives of the highest ({who}; in brackets those of a random map): {told}."


def band_note(results: StudyResults) -> str:
    """Which block of band faithfulness stands for the bands, and what its limit moved; empty where unmeasured."""
    rows = quality_rho(results)
    if rows.empty:
        return ""
    first = rows.iloc[0]
    summary = rho_summary(rows, ["n_bands"], results.recordings).iloc[0]
    signs = "with signs" if first["variant"] == "signed" else "by size"
    return (
        " Band ρ: Fisher-z mean over clips, the same as in the table of band faithfulness: "
        f"{first['n_bands']} {first['scale']} bands replaced by {REMOVAL_TITLES[first['removal']]}, {signs}; "
        f"coefficients beyond {summary['limit']:.3f} = 1 - 6/(K³ - K) are "
        f"moved there ({int(summary['n_clipped'])} of {len(rows)})."
    )
