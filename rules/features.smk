"""From clips to time-frequency maps.

DOES   list the clips of a data set; turn each part's clips into maps (and its stems into fault masks, clean
       backgrounds and maps of the events alone)
NEEDS  the data set (synthesised, downloaded, or your own folder)
GIVES  clips.parquet, notes.parquet (what was read, cut and left out); features/<part>.parquet; masks/<part>.parquet,
       backgrounds/<part>.parquet, events/<part>.parquet (empty where there is no exact truth)
"""


rule list_clips:
    """List the clips of study {wildcards.study}."""
    input:
        manifest_of,
    output:
        clips=f"{STUDY}/clips.parquet",
        notes=f"{STUDY}/notes.parquet",
    log:
        f"{RUN}/logs/list_clips/{{study}}.log",
    priority: turn_of_maps
    conda:
        "../envs/soundproof.yaml"
    params:
        dataset=lambda wildcards: stages(wildcards).dataset(),
        sources=contents,
        record=stated(lambda jobs, of: jobs.list_clips()),
    script:
        "../workflow_scripts/list_clips.py"


rule extract_features:
    """Extract the {wildcards.part} features of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
    output:
        features=f"{STUDY}/features/{{part}}.parquet",
        masks=f"{STUDY}/masks/{{part}}.parquet",
        backgrounds=f"{STUDY}/backgrounds/{{part}}.parquet",
        events=f"{STUDY}/events/{{part}}.parquet",
    log:
        f"{RUN}/logs/extract_features/{{study}}/{{part}}.log",
    priority: turn_of_maps
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        sources=contents,
        record=stated(lambda jobs, of: jobs.extract_features(of.part)),
    script:
        "../workflow_scripts/extract_features.py"
