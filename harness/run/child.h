/* The command: started in our own process group, its signals passed on, its exit status kept. */
#ifndef PORTWITNESS_RUN_CHILD_H
#define PORTWITNESS_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;     /* 0 before it is started and after it has been reaped */
    pid_t was_pid; /* stays */
    pid_t waker;   /* the last process that was to continue us with the command, 0: none yet */
    bool ended;
    bool signalled;         /* ended by a signal */
    int wait_status;        /* as of waitpid(2); valid when ended */
    bool continued_with_us; /* we stopped as it stopped, and have been continued */
    int exit_status;        /* as a shell reports it; valid when ended */
};

/* Blocks every signal that can be but SIGBUS, all of which are passed on, and returns a signalfd
 * for them, -1 with errno set. To be called before any thread is made. */
int child_take_signals(void);

/* What the new process does before it executes the command; async-signal-safe. */
struct child_preparation {
    void (*prepare)(void *with); /* NULL: nothing */
    void *with;
};

/* Starts the command with the given environment. 0; or, with one line on stderr, the exit status
 * for a command that could not be started: 127, 126, 125. */
int child_start(struct child *child, char *const command[], char *const environment[],
                struct child_preparation preparation);

/* Writes that line for a command that exec refused, and returns the status. */
int child_report_failure(const char *command, int error);

/* Reads the signalfd empty: passes signals on, stops with the command when that stops, and notes
 * its end. */
void child_handle_signals(struct child *child, int signals);

/* The same for SIGBUS, which no signalfd can give where a fault of our own may raise it: at each
 * turn. */
void child_handle_bus(struct child *child);

#endif
