from benchmarks.coverage import CLIPS, coverage, lines


def test_every_kind_of_interval_is_simulated_with_every_number_of_clips():
    found = coverage(8)
    assert {row.interval.split(" (")[0] for row in found} == {
        "mean over clips",
        "mean over machines, then clips",
        "difference of trainings",
        "Fisher mean of correlations",
        "AUC",
        "pAUC",
    }
    assert all(
        set(CLIPS) == set(row.ours) for row in found if row.interval != "mean over machines, then clips"
    )
    table = lines(found, 8)
    # five normal clips have no partial area worth an interval
    assert "none" in table and table.count("\n") == len(found) + 3
