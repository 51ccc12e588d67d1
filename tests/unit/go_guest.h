/* The Go program tests/guests/callers, built in one of several ways, and what it prints: the oracle
 * for what is read of it. Where no Go is installed tests are skipped. */
#ifndef PORTWITNESS_UNIT_GO_GUEST_H
#define PORTWITNESS_UNIT_GO_GUEST_H

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char go_folder[] = "/tmp/go-guest-XXXXXX";

/* Go's command: that of PATH, else Debian's, which no path names. */
static inline const char *go_command(void) {
    static char command[256];
    glob_t found;
    if (command[0] != '\0')
        return command;
    if (system("go version >/dev/null 2>&1") == 0)
        strcpy(command, "go");
    else if (glob("/usr/lib/go-*/bin/go", 0, NULL, &found) == 0) {
        snprintf(command, sizeof command, "%s", found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
    }
    return command[0] != '\0' ? command : NULL;
}

/* What is compiled once is kept in build/, for the next time and for other suites. */
static inline int go_run(const char *format, ...) {
    char command[2048];
    char cache[PATH_MAX];
    va_list list;
    mkdir("build", 0777);
    if (realpath("build", cache) == NULL)
        return -1;
    int length =
        snprintf(command, sizeof command,
                 "cd tests/guests/callers && PATH=\"${PATH-}:/usr/bin\" GOCACHE=%s/go-cache "
                 "GOPATH=/nonexistent GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local ",
                 cache);
    va_start(list, format);
    vsnprintf(command + length, sizeof command - (size_t)length, format, list);
    va_end(list);
    return system(command);
}

/* Builds the guest as go_folder/NAME, with `set` before and `words` behind Go's command. */
static inline const char *go_build(const char *name, const char *set, const char *words) {
    static char path[PATH_MAX];
    if (go_command() == NULL) {
        print_message("no Go is installed\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/%s", go_folder, name);
    if (access(path, X_OK) < 0 &&
        go_run("%s %s %s -buildvcs=false -o %s . >&2", set, go_command(), words, path) != 0)
        fail_msg("Go could not build the guest (%s %s)", set, words);
    return path;
}

static inline const char *go_build_static(void) {
    return go_build("static", "CGO_ENABLED=0", "build");
}

struct go_guest {
    pid_t pid;
    FILE *output;
    int input; /* it waits until this is closed */
};

static inline void go_start(struct go_guest *guest, const char *path) {
    int output[2];
    int input[2];
    assert_int_equal(pipe(output), 0);
    assert_int_equal(pipe(input), 0);
    guest->pid = fork();
    if (guest->pid == 0) {
        dup2(input[0], 0);
        dup2(output[1], 1);
        for (int file = 3; file < 64; file++)
            close(file);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    guest->input = input[1];
    guest->output = fdopen(output[0], "r");
    assert_non_null(guest->output);
}

static inline void go_end(struct go_guest *guest) {
    int status = -1;
    close(guest->input);
    while (fgetc(guest->output) != EOF)
        ;
    fclose(guest->output);
    assert_int_equal(waitpid(guest->pid, &status, 0), guest->pid);
    assert_int_equal(status, 0);
}

static inline int go_make_folder(void **state) {
    (void)state;
    return mkdtemp(go_folder) != NULL ? 0 : -1;
}

static inline int go_remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", go_folder);
    return system(command);
}

#endif
