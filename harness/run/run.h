/* `portwitness run`: a command under the witness. */
#ifndef PORTWITNESS_RUN_RUN_H
#define PORTWITNESS_RUN_RUN_H

/* Runs the command that the arguments name (argv[0] is "run") and returns the exit status for
 * portwitness: the command's, 128+N after signal N, 127, 126, or 125 where portwitness failed. */
int run_command(int argc, char **argv);

#endif
