#!/usr/bin/env bash
# A real Slurm of two logical nodes on this machine, to try the cluster profile and to test it. Debian, root, no systemd.
# usage: scripts/slurm-local.sh up|down
#   up    install what is missing (slurm-wlm, munge), start what is not running, wait until both nodes are idle
#   down  stop it
set -euo pipefail
base=${SLURM_LOCAL_DIR:-/var/lib/slurm-local}
# the default place: Snakemake's plugin unsets SLURM_* inside jobs, SLURM_CONF too
conf=/etc/slurm
mark="# written by soundproof's scripts/slurm-local.sh"
munge_pid=/run/munge/munged.pid
nodes=(n1 n2)

die() { echo "slurm-local: $1" >&2; exit "${2:-1}"; }
# processes that are gone but not yet reaped count as dead
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status"
}

stop() {
    alive "$1" || return 0
    local pid
    pid=$(cat "$1")
    kill "$pid"
    for _ in $(seq 50); do alive "$1" || return 0; sleep 0.1; done
    kill -9 "$pid"
}

install_packages() {
    command -v slurmctld slurmd munged sbatch >/dev/null && return 0
    # exit status 3: it cannot be done here, as opposed to: it went wrong
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || die "Slurm is not installed, and only root with apt-get can" 3
    local log; log=$(mktemp)
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge; } \
        >"$log" 2>&1 || { tail -n 5 "$log" >&2; die "apt-get could not install slurm-wlm and munge" 3; }
}

write_configuration() {
    [ ! -e "$conf/slurm.conf" ] || grep -qsF "$mark" "$conf/slurm.conf" \
        || die "$conf/slurm.conf belongs to another Slurm; it is left alone" 3
    local host cpus memory node
    host=$(hostname -s)
    # a job of the profile asks for two; nproc would obey OMP_NUM_THREADS
    cpus=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    [ "$cpus" -ge 2 ] || cpus=2
    # each node may use half the machine
    memory=$(awk '/MemTotal/ {print int($2 / 1024 / 2)}' /proc/meminfo)
    mkdir -p "$conf" "$base/state" "${nodes[@]/#/$base/spool.}"
    cat >"$conf/slurm.conf" <<CONF
$mark
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$base/state
SlurmdSpoolDir=$base/spool.%n
SlurmctldPidFile=$base/slurmctld.pid
# nodes are as large as this file says, whatever the machine has
SlurmdParameters=config_overrides
SlurmdPidFile=$base/slurmd.%n.pid
SlurmctldLogFile=$base/slurmctld.log
SlurmdLogFile=$base/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
# squeue tells the end of a job only as long as Slurm remembers it
MinJobAge=3600
KillWait=2
# a silent node is given up after this many seconds
SlurmdTimeout=10
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
CONF
    local port=16818
    for node in "${nodes[@]}"; do
        echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port++)) CPUs=$cpus RealMemory=$memory" \
            "Gres=gpu:1 State=UNKNOWN" >>"$conf/slurm.conf"
    done
    local all; all=$(IFS=,; echo "${nodes[*]}")
    for partition in "cpu Default=YES" gpu; do
        echo "PartitionName=$partition Nodes=$all MaxTime=1-00:00:00 DefMemPerCPU=500 State=UP" >>"$conf/slurm.conf"
    done
    # no GPU is needed to see that one is asked for
    printf 'NodeName=%s Name=gpu Count=1 File=%s\n' n1 /dev/null n2 /dev/zero >"$conf/gres.conf"
}

up() {
    install_packages
    [ "$(id -u)" = 0 ] || die "only root can start it" 3
    write_configuration
    mkdir -p "$(dirname "$munge_pid")"
    chown munge:munge "$(dirname "$munge_pid")"
    alive "$munge_pid" || runuser -u munge -- munged --pid-file="$munge_pid"
    for _ in $(seq 50); do munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && break; sleep 0.1; done
    alive "$base/slurmctld.pid" || slurmctld -f "$conf/slurm.conf"
    for node in "${nodes[@]}"; do
        alive "$base/slurmd.$node.pid" || slurmd -N "$node" -f "$conf/slurm.conf"
    done
    local ready
    for _ in $(seq 300); do
        ready=$(sinfo --noheader --Node --partition=cpu --format=%t 2>/dev/null | grep -cE '^(idle|mix|alloc)$' || true)
        [ "$ready" = "${#nodes[@]}" ] && break
        sleep 0.1
    done
    [ "$ready" = "${#nodes[@]}" ] || die "only $ready of ${#nodes[@]} nodes are up; see $base/*.log"
    sinfo
}

down() {
    for node in "${nodes[@]}"; do stop "$base/slurmd.$node.pid"; done
    stop "$base/slurmctld.pid"
    stop "$munge_pid"
}

case ${1:-} in
    up | down) "$1" ;;
    *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
