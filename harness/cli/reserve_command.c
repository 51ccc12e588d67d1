/* portwitness reserve: numbers that are nobody else's until the command's servers bind them. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/reserve/arguments_with_ports.h"
#include "harness/reserve/hold.h"
#include "harness/reserve/trouble.h"
#include "harness/run/child.h"
#include "harness/run/run.h"
#include "harness/run/run_environment.h"

enum { STATUS_FAILED = 125, LOOK_MS = 1000 };

static const char help[] =
    "Usage: portwitness reserve [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "Keeps TCP ports for the time that the command runs: no other program that asks for any port "
    "is\n"
    "given one of them. Their numbers are in PORTWITNESS_PORT_1, PORTWITNESS_PORT_2 and so on, "
    "and\n"
    "in the place of {1}, {2} and so on in the command's arguments.\n"
    "\n"
    "  -n, --number=K        how many (default 1, at most 1000)\n"
    "  -h, --help            this text\n"
    "\n"
    "A server binds such a port as if it were free, provided that it sets SO_REUSEADDR, as nearly\n"
    "all do. UDP ports are not reserved. What went wrong with a port is told at the end.\n"
    "\n"
    "The exit status is the command's; 128+N if signal N ended it; 127 if it was not found, 126 "
    "if\n"
    "it could not be executed; 2 for wrong usage, 125 if portwitness itself failed.\n";

struct reservation {
    struct held_ports held;
    size_t number;
    char **command;
    char folder[64]; /* of the private trace; "": there is none */
    char trace[96];
};

static int complain(const char *option, const char *value, const char *what) {
    fprintf(stderr, "portwitness: reserve: %s%s%s: %s\n", option, value != NULL ? "=" : "",
            value != NULL ? value : "", what);
    return STATUS_USAGE;
}

/* 0 to go on, -1 after --help. */
static int parse(struct reservation *reservation, int argc, char **argv) {
    static const struct option table[] = {{"number", required_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char *end;
    int option;
    reservation->number = 1;
    optind = 0; /* begin anew, getopt(3) */
    while ((option = getopt_long(argc, argv, "+:n:h", table, NULL)) != -1) {
        if (option == 'h')
            return -1;
        if (option == ':')
            return complain(argv[optind - 1], NULL, "needs a value");
        if (option != 'n')
            return complain(argv[optind - 1], NULL,
                            "is no option of reserve (portwitness reserve --help)");
        unsigned long number = *optarg >= '0' && *optarg <= '9' ? strtoul(optarg, &end, 10) : 0;
        if (number < 1 || number > HELD_PORTS_MAX || *end != '\0')
            return complain("--number", optarg, "is no number from 1 to 1000");
        reservation->number = number;
    }
    reservation->command = argv + optind;
    if (optind == argc)
        return complain("COMMAND", NULL, "is missing (portwitness reserve --help)");
    return 0;
}

/* Holds the sockets at numbers above the soft limit, which is then the command's again: it finds
 * its limit as it was, and we our own numbers below it. */
static bool hold(struct reservation *reservation) {
    struct held_ports *held = &reservation->held;
    struct rlimit before;
    if (getrlimit(RLIMIT_NOFILE, &before) != 0)
        return hold_ports(held, reservation->number);
    const struct rlimit raised = {before.rlim_max, before.rlim_max};
    (void)setrlimit(RLIMIT_NOFILE, &raised);
    bool good = hold_ports(held, reservation->number);
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
        return complain("signals", NULL, strerror(errno)), STATUS_FAILED;
    int status = child_start(&child, command, environ);
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
    static char name[] = "run", quiet[] = "-q", output[] = "-o", end[] = "--";
    size_t count = 0;
    while (command[count] != NULL)
        count++;
    char **arguments = calloc(count + 6, sizeof *arguments);
    if (arguments == NULL)
        return complain("memory", NULL, strerror(errno)), STATUS_FAILED;
    char *first[] = {name, quiet, output, reservation->trace, end};
    memcpy(arguments, first, sizeof first);
    memcpy(arguments + 5, command, count * sizeof *command);
    int status = run_with((int)count + 5, arguments, NULL);
    reserve_trouble_report(reservation->trace, &reservation->held, status != 0, stderr);
    free(arguments);
    return status;
}

static int run(struct reservation *reservation) {
    char **command = arguments_with_ports(reservation->command, &reservation->held);
    if (command == NULL || !environment_with_ports(&reservation->held))
        return complain("memory", NULL, strerror(errno)), STATUS_FAILED;
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

int reserve_command(int argc, char **argv) {
    static struct reservation reservation;
    int status = parse(&reservation, argc, argv);
    if (status < 0) {
        fputs(help, stdout);
        return output_finish() ? 0 : 1;
    }
    if (status != 0)
        return status;
    if (!hold(&reservation)) {
        fprintf(stderr, "portwitness: reserve: %zu ports cannot be had: %s\n", reservation.number,
                strerror(errno));
        return STATUS_FAILED;
    }
    status = run(&reservation);
    hold_ports_end(&reservation.held);
    return status;
}
