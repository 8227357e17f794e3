#!/usr/bin/env bash
# Trainings of two ranks that meet a fault of the machine: they end soon, with a sentence or the launcher's word that names the
# rank, and what they had saved goes on to the very bytes of a training that nothing happened to.
#   training_faults.sh PROGRAM MPIEXEC COUNT_FLAG FOLDER
set -uo pipefail
program=$1 mpiexec=$2 count=$3 work=$4
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
failed=0
fail() {
  echo "FAILED: $*"
  [[ -f err ]] && sed 's/^/  /' err
  failed=1
}

# As much data as makes the ten epochs after the awaited ones outlast what is done to the ranks meanwhile.
"$program" wells synthesize out=data wells=6 samples=3000 seed=3 > /dev/null || exit 1
train=(wells train data=data label=FACIES model=unet_strided channels=[4,8] strides=[2] residual_units=1 kernel=3 window=64
       batch=4 epochs=12 norm=batch quiet=true threads=1 schedule=constant)

# start RUN [key=value...]: two ranks in the background that leave their process ids; `launcher` is mpirun's. `limit`: blocks
# that a file of rank 0 may have, as a disk that is full.
start() {
  local run=$1 limit=${limit:-unlimited}
  shift
  rm -f pid.* out err
  local leave='rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}; echo $$ > pid.$rank; if [[ $rank == 0 && $0 != unlimited ]]; then trap "" XFSZ; ulimit -f $0; fi; exec "$@"'
  "$mpiexec" "$count" 2 bash -c "$leave" "$limit" "$program" "${train[@]}" run="$run" "$@" > out 2> err &
  launcher=$!
}
# Until the run has saved a few epochs.
await_epochs() {
  for ((i = 0; i < 600; ++i)); do
    [[ -f $1/metrics.csv && $(wc -l < "$1/metrics.csv") -gt 2 && -f pid.0 && -f pid.1 ]] && return
    sleep 0.05
  done
  fail "$1: no epochs within 30 seconds"
}
# ended NAME CODES SECONDS: it comes to its end within so long, with one of the codes.
ended() {
  local before=$SECONDS code most=$3
  # Its output is nobody's: ctest would wait for the sleep to close it.
  ( sleep $((most + 30)); kill -9 "$launcher" $(cat pid.* 2> /dev/null) 2> /dev/null ) > /dev/null 2>&1 &
  local watchdog=$!
  wait "$launcher"
  code=$?
  kill "$watchdog" 2> /dev/null
  ((SECONDS - before <= most)) || fail "$1: took $((SECONDS - before)) seconds to end"
  [[ " $2 " == *" $code "* ]] || fail "$1: exit code $code, not one of $2"
  for pid in $(cat pid.*); do
    for ((i = 0; i < 40; ++i)); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -0 "$pid" 2> /dev/null && fail "$1: process $pid is still there" && kill -9 "$pid"
  done
}
says() { grep -q "$2" out err || fail "$1: nobody says '$2'"; }
goes_on() {
  "$mpiexec" "$count" 2 "$program" wells train resume="$1" quiet=true > out 2> err || fail "$1: does not go on"
  local file
  for file in metrics.csv model.safetensors; do cmp -s "whole/$file" "$1/$file" || fail "$1: $file is not that of an undisturbed run"; done
}

start whole
ended whole 0 120

for rank in 0 1; do
  start killed$rank && await_epochs killed$rank
  kill -9 "$(cat pid.$rank)"
  ended killed$rank "137 9" 15
  says killed$rank "rank $rank\|PID $(cat pid.$rank) RUNNING AT"  # Open MPI; MPICH
  goes_on killed$rank
done

export KERN_RANK_TIMEOUT=3
start hanging && await_epochs hanging
kill -STOP "$(cat pid.1)"
ended hanging "1 139" 25  # Open MPI 4.1's mpirun itself has been seen to end by a signal here, once in forty
says hanging "waited 3 seconds for rank 1"
unset KERN_RANK_TIMEOUT
goes_on hanging

start signalled && await_epochs signalled  # one rank alone is asked to stop
kill -INT "$(cat pid.1)"
ended signalled "130" 15
says signalled "go on with: kern wells train resume=signalled"
goes_on signalled

start asked && await_epochs asked
touch asked/stop
ended asked "0" 15
says asked "stopped (stop file) and saved"
goes_on asked

# 1 KiB blocks: the configuration fits, the first model does not. MPICH's UCX is kept from files of shared memory, larger ones.
export UCX_TLS=tcp,self
limit=16 start full
ended full 1 60  # from its start on
says full "error: rank 0: cannot write full/model.safetensors"
[[ $(grep -c "error:" err) == 1 ]] || fail "full: one error, of one rank"

exit $failed
