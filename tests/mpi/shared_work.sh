#!/bin/sh
# Work that ranks share is what one process makes of it, byte for byte: predictions of every task, killed and gone on
# with by another number of ranks, and studies.
#   shared_work.sh volumes|files|study FOLDER KERN MPIEXEC -n
set -eu
part=$1 folder=$2 kern=$3 mpiexec=$4 count=$5
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
export KERN_RANK_TIMEOUT=60

fail() {
  echo "$part: $*" >&2
  for log in *.err; do sed "s/^/$log: /" "$log" >&2; done
  exit 1
}
# ranks N ARGUMENTS...: kern on so many ranks; 1: without mpirun.
ranks() {
  processes=$1
  shift
  if [ "$processes" = 1 ]; then "$kern" "$@"; else "$mpiexec" "$count" "$processes" "$kern" "$@"; fi
}
# same_study A B: but for the last columns, seconds and memory, which depend on what the process did before.
same_study() {
  for study in $1 $2; do
    column=$(head -n 1 $study/study.csv | tr , '\n' | grep -n '^seconds$' | cut -d : -f 1)
    # Names and sentences hold commas: they stand below the numbers.
    sed 's/"[^"]*"/text/g' $study/study.csv | cut -d , -f "1-$((column - 1))" >$study/table.csv
    grep -o '"[^"]*"' $study/study.csv | sed "s#$folder/killed/#$folder/run/#g" >>$study/table.csv
  done
  same $1/table.csv $2/table.csv
  same $1/comparison.csv $2/comparison.csv
}
# expect CODE N ARGUMENTS...: the same, and the exit code.
expect() {
  wanted=$1
  shift
  code=0
  ranks "$@" >last.out 2>last.err || code=$?
  [ "$code" = "$wanted" ] || fail "exit code $code instead of $wanted: kern $*"
}
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
# same_evaluations A B: tables and figures, but for how fast it went.
same_evaluations() {
  for file in $(cd "$1" && find . -name '*.csv' -o -name result.json); do
    for run in "$1" "$2"; do grep -v images_per_second "$run/$file" >"$run/compared"; done
    cmp "$1/compared" "$2/compared" || fail "$1/$file and $2/$file differ"
  done
}
same_folders() { diff -r "$1" "$2" || fail "$1 and $2 differ"; }
said() { grep -q "$1" last.out last.err || fail "nobody said: $1"; }
# kill_when FILE N ARGUMENTS...: rank N-1 is killed as soon as the file is there; all must end.
kill_when() {
  file=$1
  shift
  tries=0
  (ranks "$@" >killed.out 2>killed.err) &
  job=$!
  while [ ! -e "$file" ] && kill -0 $job 2>/dev/null && [ $tries -lt 20000 ]; do
    tries=$((tries + 1))
    sleep 0.002
  done
  # The ranks are the processes whose command line has this study's or prediction's folder.
  victim=$(pgrep -f "^$kern .*$folder/killed" | tail -n 1)
  [ -n "$victim" ] || fail "the kill came too late"
  kill -9 "$victim"
  ! wait $job || fail "a killed rank ended well"
  [ -e "$file" ] || fail "$file is gone: the kill came too late"
}

volumes() {
  train="channels=[4,6] sections=4 validation_sections=4 batch=4 epochs=1 threads=1 report_sections=0 quiet=true"
  "$kern" faults train run=sections $train synthetic.crosslines=24 synthetic.samples=28 >/dev/null 2>&1
  "$kern" faults train run=cubes $train model=unet3d "channels=[2,3,4]" synthetic.inlines=24 synthetic.crosslines=24 synthetic.samples=28 \
    crop=16 >/dev/null 2>&1
  "$kern" faults synthesize out=survey volumes=1 inlines=30 crosslines=33 samples=40 sheet=0 >/dev/null
  survey=$folder/survey/amplitude_00000.sgy
  for model in sections cubes; do
    set -- faults predict "$survey" model=$model threads=1 quiet=true dip=true azimuth=true
    [ $model = sections ] || set -- "$@" tile=16
    expect 0 1 "$@" out=$model/one
    for n in 2 3; do
      expect 0 $n "$@" out=$model/$n
      same_folders $model/one $model/$n
    done
    # Killed with 3 ranks, gone on with by 2; killed with 2, gone on with by one process.
    n=2
    [ $model = sections ] || n=3
    kill_when killed$n$model/amplitude_00000/parts/progress.json $n "$@" "out=$folder/killed$n$model"
    expect 0 $((n - 1)) "$@" "out=$folder/killed$n$model"
    said "goes on where an earlier prediction ended"
    same_folders $model/one killed$n$model
  done
  # A rank that stands still is named.
  if [ -d /proc/self ]; then
    (KERN_RANK_TIMEOUT=2 ranks 2 faults predict "$survey" model=cubes threads=1 quiet=true tile=16 "out=$folder/killed_stopped" \
      >stopped.out 2>stopped.err) &
    job=$!
    until [ -e killed_stopped/amplitude_00000/parts/progress.json ]; do sleep 0.002; done
    victim=$(pgrep -f "^$kern .*$folder/killed_stopped" | tail -n 1)
    rank=$(tr '\0' '\n' <"/proc/$victim/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p;s/^PMI_RANK=//p' | head -n 1)
    kill -STOP "$victim"
    ! wait $job || fail "a stopped rank was not missed"
    grep -q "waited 2 seconds for rank $rank" stopped.err || fail "rank $rank, which stood still, is not named"
    kill -KILL "$victim" 2>/dev/null || true
  fi
  # A folder: a file that cannot be used is named, the rest is predicted.
  mkdir folder
  cp "$survey" folder/a.sgy
  head -c 5000 "$survey" >folder/b.sgy
  cp "$survey" folder/c.sgy
  for n in 1 2; do
    expect 1 $n faults predict folder model=cubes threads=1 quiet=true out=folder$n
    said "skipped: .*b.sgy"
    said "2 files predicted, 1 skipped"
  done
  same_folders folder1 folder2
  # Sections, and a survey of several blocks against its interpretation.
  for n in 1 3; do
    expect 0 $n faults evaluate model=sections sections=5 threads=1 report_sections=0 run=evaluated$n
    expect 0 $n faults evaluate data="$survey" labels="$folder/survey/faults_00000.sgy" model=cubes threads=1 run=compared$n
  done
  same_evaluations evaluated1 evaluated3
  same_evaluations compared1 compared3
}

files() {
  "$kern" anomalies synthesize out=data training=12 validation=8 test=9 validation_spills=4 test_spills=8 test_strength=1 >/dev/null
  spills=data/test/spill
  "$kern" images train data=$spills mask_dir="$folder/data/ground_truth/test/spill" masks=nonzero channels=4,8 batch=2 epochs=1 \
    threads=1 quiet=true run=segment >/dev/null 2>&1
  "$kern" anomalies train data=data model=ae channels=32 code=4 epochs=1 batch=6 threads=1 resamples=50 panels=0 quiet=true \
    run=anomalies >/dev/null 2>&1
  "$kern" wells synthesize out=wells wells=7 samples=200 seed=3 >/dev/null
  "$kern" wells train data=wells label=FACIES epochs=1 model=unet_strided "channels=[4,8]" "strides=[2]" residual_units=1 window=64 \
    batch=2 threads=1 report_wells=0 quiet=true run=facies >/dev/null 2>&1
  echo "no image" >$spills/broken.png
  echo "no log" >wells/broken.las
  for n in 1 2 3; do
    expect 0 $n images predict data=$spills model=segment overlay=true probabilities=true out=images$n --json images$n.json
    said "broken.png"
    [ $n = 1 ] || said "rank [0-9]: skipped: .*broken.png"
    said "8 images predicted, 1 skipped"
    expect 0 $n wells predict data=wells model=facies out=wells$n --json wells$n.json
    said "broken.las"
    said "7 wells predicted, 1 files skipped"
    # Without an anomaly the broken file has the exit code 2, with one it is 1.
    expect 2 $n anomalies predict data=$spills model=anomalies threshold=1e9 csv=good$n.csv
    expect 1 $n anomalies predict data=$spills model=anomalies threshold=-1 csv=bad$n.csv heat_maps=heat$n
    said "8 images scored: 0 good, 8 anomalies; 1 could not be read"
    grep ANOMALY last.out | sort -u >lines$n.txt
    [ "$(wc -l <lines$n.txt)" = 8 ] || fail "not a line for each image"
    for table in good bad; do sed 's/,[^,]*$//' $table$n.csv >$table$n.txt; done  # without the time
  done
  for n in 2 3; do
    for what in images wells heat; do same_folders ${what}1 $what$n; done
    for what in lines good bad; do same ${what}1.txt $what$n.txt; done
    for what in images wells; do sed "s/\"out\".*//" $what$n.json >$what$n.figures; done
  done
  sed "s/\"out\".*//" images1.json >images1.figures
  sed "s/\"out\".*//" wells1.json >wells1.figures
  for n in 2 3; do same images1.figures images$n.figures; same wells1.figures wells$n.figures; done
  for n in 1 2 3; do
    expect 0 $n images evaluate data=$spills mask_dir="$folder/data/ground_truth/test/spill" images=all model=segment threads=1 report_images=0 run=of_images$n
    expect 0 $n wells evaluate data=wells wells=all model=facies threads=1 report_wells=0 run=of_wells$n
    expect 0 $n anomalies evaluate data=data images=all model=anomalies threads=1 report_images=0 run=of_anomalies$n
  done
  for n in 2 3; do for what in images wells anomalies; do same_evaluations of_${what}1 of_$what$n; done; done
  expect 1 2 images predict data=$spills model=segment strict=true out=strict
  said "rank [0-9]: .*broken.png"
  mkdir only && cp $spills/broken.png only
  expect 1 2 images predict data=only model=segment out=none
  said "none of the 1 images"
}

study_of() {
  cat >study.yaml <<END
base: {data: '$folder/data', label: FACIES, epochs: $2, channels: [4, 8], strides: [2], residual_units: 1, window: 64, batch: 2, threads: 1,
  report_wells: 0, checkpoint_every: 0s, quiet: true}
run: '$1'
vary: {kernel: [3, 5], lr: [0.002, 1.0e+30], seed: [1, 2]}
END
}
study() {
  "$kern" wells synthesize out=data wells=4 samples=200 seed=3 >/dev/null
  # The folder has the same name, for it stands in the pages.
  for n in 1 2 3; do
    study_of "$folder/run" 1
    expect 1 $n wells study study.yaml
    said "4 of 8 runs finished, 4 failed"
    mv run run$n
  done
  for n in 2 3; do
    same_study run1 run$n
    for seed in 1 2; do same "run1/kernel=5,lr=0.002,seed=$seed/model.safetensors" "run$n/kernel=5,lr=0.002,seed=$seed/model.safetensors"; done
    [ ! -e run$n/taken ] || fail "what was taken still stands there"
  done
  # Killed with 3 ranks, gone on with by 2.
  study_of "$folder/killed" 1
  cp study.yaml "$folder/killed.yaml"
  kill_when "killed/kernel=3,lr=0.002,seed=1/checkpoint.safetensors" 3 wells study "$folder/killed.yaml"
  expect 1 2 wells study "$folder/killed.yaml"
  said "4 of 8 runs finished, 4 failed"
  same_study run1 killed
  # What is missing is made again, the rest is left as it is.
  study_of "$folder/run" 1
  cp -r run1 run && rm -r "run/kernel=5,lr=0.002,seed=1" "run/kernel=5,lr=0.002,seed=2"
  expect 1 2 wells study study.yaml
  same_study run1 run
}

$part
