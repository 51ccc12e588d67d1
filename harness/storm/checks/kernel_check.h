/* The second check: the kernel's own table of sockets. */
#ifndef PORTWITNESS_STORM_CHECKS_KERNEL_CHECK_H
#define PORTWITNESS_STORM_CHECKS_KERNEL_CHECK_H

#include "harness/storm/checks/announced.h"
#include "harness/storm/checks/check_result.h"

/* Asks the kernel (sock_diag, sockets that are bound and do not listen included) for the sockets of
 * our network namespace and compares those that the claimants own with what was announced: each
 * announced endpoint is one socket of its claimant, and no claimant has another one. Connections
 * are not looked at. */
void kernel_check(const struct announcements *announcements, struct verdict *verdict);

#endif
