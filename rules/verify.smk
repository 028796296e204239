"""From results to trust: does every file still belong to the configuration, the code and its inputs?

DOES   compare the record in each result file with what it should say, and headline numbers with the reference
NEEDS  results, whether Snakemake knows them or not
GIVES  a list of what is stale, missing or half-written, and an error if there is any. It changes no file, makes none
       (so it has no input) and always runs (so it has no output)
"""


rule verify:
    """Check every result file of the run."""
    log:
        f"{RUN}/logs/verify_results.log",
    conda:
        "../envs/soundproof.yaml"
    params:
        reference=f"{CONFIG.results_dir}/reference",
    script:
        "../workflow_scripts/verify_results.py"
