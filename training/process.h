// What a program does first.
#pragma once

namespace kern::training {

// Whoever starts a program may have closed standard input, output or error: they become /dev/null, or the first files
// opened would take their place and be written into. A reader of our output that leaves, and a limit of a file's size
// (ulimit -f), become errors of writing instead of signals that end a training.
void prepare_process();

}  // namespace kern::training
