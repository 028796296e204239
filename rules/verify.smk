"""From results to trust: does every file still belong to the configuration, the code and its inputs? Is it sound?

DOES   verify: compare the record in each result file with what it should say, and headline numbers with the reference;
       test_results: test what the files hold (tests/artefacts)
NEEDS  results, whether Snakemake knows them or not
GIVES  a list of what is stale, missing or half-written, or of the tests that failed, and an error if there is any. They
       change no file, make none (so they have no input) and always run (so they have no output)
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


rule test_results:
    """Test what the result files of the run hold."""
    log:
        f"{RUN}/logs/test_results.log",
    conda:
        "../envs/soundproof.yaml"
    params:
        tests=f"{workflow.basedir}/tests/artefacts",
    script:
        "../workflow_scripts/test_results.py"
