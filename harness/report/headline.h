/* What a verdict is worth where the very program that was to be checked could not be seen. */
#ifndef PORTWITNESS_REPORT_HEADLINE_H
#define PORTWITNESS_REPORT_HEADLINE_H

#include "harness/check/check.h"

enum { HEADLINE_SIZE = 1024 };

/* "server.test was not checked: it is a static program", for programs that make calls past
 * the shim: where nothing was found, or where the command itself or a test binary is one. false,
 * and
 * "", where there is nothing to say. */
bool headline_text(const struct check *check, char text[HEADLINE_SIZE]);

/* Is the command itself among them, or a Go test binary? Then silence would be taken for success.
 */
bool headline_is_urgent(const struct check *check);

#endif
