/* Whose code a frame of a Go program is. */
#ifndef PORTWITNESS_CAPTURE_GO_OWNER_H
#define PORTWITNESS_CAPTURE_GO_OWNER_H

#include <stdbool.h>

#include "harness/capture/go_lines.h"
#include "shim/shared/trace_format.h"

/* The folder that the files of Go's own library are in, with the slash at its end; "" in a program
 * that was built with -trimpath. */
struct go_root {
    char folder[256];
    bool is_known;
};

/* Finds it out by a function of the package runtime. */
void go_root_learn(struct go_table *table, struct go_root *root);

/* By the function's package and its file: Go's own library; what runs tests (testing, Ginkgo,
 * testify, gotest.tools, check.v1, and the program that `go test` makes); a module from the module
 * cache or a vendor folder; all else is the user's, and so are the tests of Go's own library. */
enum pw_frame_of go_owner(const struct go_root *root, const char *function, const char *file);

#endif
