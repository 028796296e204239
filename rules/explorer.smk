"""From explained clips to a page on which they are looked at and listened to.

DOES   gather spectrograms, maps, truth, scores, numbers and sounds of a study's explained clips, and write its explorer
NEEDS  features, masks, explanations, measurements.parquet; the clips' sound, as far as the data set has any
GIVES  explorer/index.html and what it reads; explorer.parquet, which lists these files and says where they come from
"""


rule explore_clips:
    """Write the explorer of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        measurements=f"{STUDY}/measurements.parquet",
        features=shown(f"{STUDY}/features/{{part}}.parquet"),
        masks=shown(f"{STUDY}/masks/{{part}}.parquet"),
        maps=shown(f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet"),
        sounds=sounds_to_hear,
        reasons=reasons_in_words,
    output:
        listed=f"{STUDY}/explorer.parquet",
        folder=directory(f"{STUDY}/explorer"),
    log:
        f"{RUN}/logs/explore_clips/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        fits=lambda wildcards: STUDIES[wildcards.study].shown_fits(),
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        record=stated(lambda jobs, of: jobs.explore_clips()),
    script:
        "../workflow_scripts/explore_clips.py"
