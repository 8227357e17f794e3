# Every way in which ranks may fail: all processes end, soon, with the exit code and a sentence that says who.
#   cmake -D MPIEXEC=mpirun -D COUNT=-n -D RANKS=2 -D PROGRAM=faulty_ranks -P faults.cmake
set(WORK ${CMAKE_CURRENT_BINARY_DIR}/rank_faults_${RANKS})
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

# Runs it; `code`, `out` and `err` are what came of it.
macro(start)
  execute_process(COMMAND ${MPIEXEC} ${ARGN} WORKING_DIRECTORY ${WORK} TIMEOUT 60
                  RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
endmacro()
function(expect what)
  if(NOT (${ARGN}))
    message(SEND_ERROR "${verb}: ${what} does not hold\ncode ${code}\n--- stdout\n${out}\n--- stderr\n${err}")
  endif()
endfunction()
# That many times, no more and no less.
function(expect_times times where text)
  string(REPLACE "${text}" "" rest "${${where}}")
  string(LENGTH "${${where}}" n)
  string(LENGTH "${rest}" left)
  string(LENGTH "${text}" each)
  math(EXPR n "(${n} - ${left}) / ${each}")
  expect("${times} times '${text}' in ${where}" n EQUAL times)
endfunction()

set(verb well)
start(${COUNT} ${RANKS} ${PROGRAM} test well --json figures.json)
expect("exit code 0" code EQUAL 0)
expect_times(1 out "a result of ${RANKS} ranks")
expect_times(1 err "a note")
expect_times(1 err "a warning")
file(READ ${WORK}/figures.json json)
expect("the figures are written" json MATCHES "\"value\": 1")

set(verb alike)
start(${COUNT} ${RANKS} ${PROGRAM} test alike)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: the file is not there")
expect_times(1 err "error:")

set(verb single)
start(${COUNT} ${RANKS} ${PROGRAM} test single)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: kern test single is done by one process")

set(verb usage)
start(${COUNT} ${RANKS} ${PROGRAM} test unheard)
expect("exit code 2" code EQUAL 2)
expect_times(1 err "'kern test' knows no 'unheard'")

set(verb one)
start(${COUNT} ${RANKS} ${PROGRAM} test one)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: rank 1: the disk is full")
expect_times(1 err "error:")

set(verb ours)
start(${COUNT} ${RANKS} ${PROGRAM} test ours)
expect("exit code 3" code EQUAL 3)
expect_times(1 err "error: rank 1: a fault of kern")

set(verb different)
start(${COUNT} ${RANKS} ${PROGRAM} test different)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: rank 0: no data in folder 0")
expect_times(1 err "error: rank 1: no data in folder 1")

set(verb killed)
start(${COUNT} ${RANKS} ${PROGRAM} test killed)
expect("an exit code" NOT code EQUAL 0)
expect("mpirun names the rank, or its process" err MATCHES "rank 1" OR out MATCHES "rank 1|PID [0-9]+ RUNNING AT")  # Open MPI; MPICH

set(verb stopped)
set(ENV{KERN_RANK_TIMEOUT} 2)
start(${COUNT} ${RANKS} ${PROGRAM} test stopped)
unset(ENV{KERN_RANK_TIMEOUT})
expect("exit code 1" code EQUAL 1)
expect_times(1 err "waited 2 seconds for rank 1; all ranks end now")
expect_times(1 err "error:")

set(verb code)
start(${COUNT} ${RANKS} ${PROGRAM} test code)
expect("exit code 130" code EQUAL 130)
expect_times(1 out "saved")
expect_times(0 err "error:")

if(RANKS EQUAL 3)
  set(verb some)
  start(${COUNT} 3 ${PROGRAM} test some)
  expect("exit code 1" code EQUAL 1)
  expect_times(1 err "error: rank 1, 2: the disk is full")
  return()
endif()

# Ranks that were not started alike.
set(verb "another command line")
start(${COUNT} 1 ${PROGRAM} test well value=1 : ${COUNT} 1 ${PROGRAM} test well value=2)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: rank 1 differs from rank 0 in its command line: 'value=2', where rank 0 has 'value=1'")

set(verb "another configuration")
foreach(rank IN ITEMS 0 1)
  file(WRITE ${WORK}/${rank}/c.yaml "value: ${rank}\n")
endforeach()
start(${COUNT} 1 -wdir ${WORK}/0 ${PROGRAM} test well c.yaml : ${COUNT} 1 -wdir ${WORK}/1 ${PROGRAM} test well c.yaml)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: rank 1 differs from rank 0 in its configuration: value=1, where rank 0 has value=0")

set(verb "another environment")
start(${COUNT} 1 ${PROGRAM} test well : ${COUNT} 1 env KERN_FUSION=off ${PROGRAM} test well)
expect("exit code 1" code EQUAL 1)
expect_times(1 err "error: rank 1 differs from rank 0 in its environment: KERN_FUSION=off, where rank 0 has no KERN_FUSION")
