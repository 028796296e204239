"""What a run will do, shown above the list of jobs of a dry run. No rule stands here."""

from soundproof.runs.plan import plan_in_words

if workflow.is_main_process and workflow.output_settings.dryrun:
    sys.stderr.write(plan_in_words(CONFIG, STUDIES))
