#!/usr/bin/env bash
# Say what befell the Slurm jobs of a run that failed. Snakemake does not, where a job was one of a group.
# usage: scripts/slurm-failures.sh SNAKEMAKE_LOG
set -euo pipefail
submitted=$(grep -oE 'SLURM jobid [0-9]+ \(log: [^)]+\)' "$1") || exit 0
ids=$(awk '{print $3}' <<<"$submitted" | paste -sd,)
# sacct fails where there is no accounting; squeue knows the jobs of the last minutes
states=$(sacct --noheader --parsable2 --allocations --jobs="$ids" --format=JobID,State,NodeList,Elapsed 2>/dev/null \
    || squeue --noheader --states=all --jobs="$ids" --format='%i|%T|%N|%M' 2>/dev/null) || exit 0
grep -vE '\|(COMPLETED|PENDING|RUNNING)\|' <<<"$states" | while IFS='|' read -r id state node elapsed; do
    log=$(sed -n "s/^SLURM jobid $id (log: \(.*\))\$/\1/p" <<<"$submitted")
    echo "SLURM job $id: $state on ${node:-no node} after $elapsed (log: $log)"
done >&2 || true
