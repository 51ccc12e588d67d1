/* Numbers that are nobody else's until the command's servers bind them. */
#include "harness/reserve/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"
#include "harness/reserve/arguments_with_ports.h"
#include "harness/reserve/hold.h"
#include "harness/reserve/problems.h"
#include "harness/run/child.h"
#include "harness/run/run.h"
#include "harness/run/run_environment.h"

enum { LOOK_MS = 1000 };

struct reservation {
    struct held_ports held;
    char folder[64]; /* of the private trace; "": there is none */
    char trace[96];
};

static int fail(const char *what) {
    complain("reserve", "%s: %s", what, strerror(errno));
    return STATUS_FAILED;
}

/* Holds the sockets at numbers above the soft limit, which is then the command's again: it finds
 * its limit as it was, and we our own numbers below it. */
static bool hold(struct held_ports *held, size_t number) {
    struct rlimit before;
    if (getrlimit(RLIMIT_NOFILE, &before) != 0)
        return hold_ports(held, number);
    const struct rlimit raised = {before.rlim_max, before.rlim_max};
    (void)setrlimit(RLIMIT_NOFILE, &raised);
    bool good = hold_ports(held, number);
    int error = errno;
    for (size_t i = 0; good && i < held->count; i++) {
        int above = fcntl(held->sockets[i], F_DUPFD_CLOEXEC, (int)before.rlim_cur);
        if (above < 0)
            break; /* there is no room above */
        close(held->sockets[i]);
        held->sockets[i] = above;
    }
    (void)setrlimit(RLIMIT_NOFILE, &before);
    errno = error;
    return good;
}

/* Where the command is recorded already, or cannot be, it runs as it is. */
static int run_plainly(char **command) {
    struct child child;
    int signals = child_take_signals();
    if (signals < 0)
        return fail("signals");
    int status = child_start(&child, command, environ, (struct child_preparation){0});
    struct pollfd wait = {.fd = signals, .events = POLLIN};
    while (status == 0 && !child.ended) {
        poll(&wait, 1, LOOK_MS);
        child_handle_signals(&child, signals);
    }
    close(signals);
    return status != 0 ? status : child.exit_status;
}

static bool make_folder(struct reservation *reservation) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || strlen(parent) > sizeof reservation->folder - 32)
        parent = "/tmp";
    snprintf(reservation->folder, sizeof reservation->folder, "%s/portwitness-reserve-XXXXXX",
             parent);
    if (mkdtemp(reservation->folder) == NULL) {
        reservation->folder[0] = '\0';
        return false;
    }
    snprintf(reservation->trace, sizeof reservation->trace, "%s/reserve.trace",
             reservation->folder);
    return true;
}

static int run_privately(struct reservation *reservation, char **command) {
    struct run_options options = run_options_default();
    options.trace.name = reservation->trace;
    options.quiet = true;
    options.command = command;
    int status = run_recording(&options, NULL, NULL);
    reserve_problems_report(reservation->trace, &reservation->held, status != 0, stderr);
    return status;
}

static int run(struct reservation *reservation, char *const *arguments) {
    char **command = arguments_with_ports(arguments, &reservation->held);
    if (command == NULL || !environment_with_ports(&reservation->held))
        return fail("memory");
    char *shim = getenv("PORTWITNESS_TRACE") == NULL ? environment_find_shim() : NULL;
    int status = shim != NULL && make_folder(reservation) ? run_privately(reservation, command)
                                                          : run_plainly(command);
    if (reservation->folder[0] != '\0') {
        (void)unlink(reservation->trace);
        (void)rmdir(reservation->folder);
    }
    free(shim);
    arguments_with_ports_free(command);
    return status;
}

int reserve(size_t number, char *const *command) {
    static struct reservation reservation;
    if (!hold(&reservation.held, number)) {
        complain("reserve", "cannot get %zu port%s: %s", number, plural(number), strerror(errno));
        return STATUS_FAILED;
    }
    int status = run(&reservation, command);
    hold_ports_end(&reservation.held);
    return status;
}
