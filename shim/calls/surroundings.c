/* Calls that change what later sockets and records are made with: namespaces and the user. */
#include <sched.h>

#ifndef CLONE_NEWTIME /* glibc 2.36 */
#define CLONE_NEWTIME 0x80
#endif

#include "shim/identity.h"
#include "shim/real.h"
#include "shim/shared/clock.h"
#include "shim/socket/namespaces.h"

int call_setns(int fd, int type, const void *site) {
    (void)site;
    int result = real.setns(fd, type);
    if (result == 0 && (type == 0 || (type & CLONE_NEWNET) != 0))
        namespace_changed();
    if (result == 0 && (type == 0 || (type & CLONE_NEWTIME) != 0))
        clock_children_differ();
    return result;
}

int call_unshare(int flags, const void *site) {
    (void)site;
    int result = real.unshare(flags);
    if (result == 0 && (flags & CLONE_NEWNET) != 0)
        namespace_changed();
    if (result == 0 && (flags & CLONE_NEWTIME) != 0)
        clock_children_differ();
    if (result == 0 && (flags & CLONE_NEWUSER) != 0)
        identity_uid_changed(false);
    return result;
}

int call_setuid(uid_t uid, const void *site) {
    (void)site;
    int result = real.setuid(uid);
    identity_uid_changed(false);
    return result;
}

int call_seteuid(uid_t uid, const void *site) {
    (void)site;
    int result = real.seteuid(uid);
    identity_uid_changed(false);
    return result;
}

int call_setreuid(uid_t real_uid, uid_t effective, const void *site) {
    (void)site;
    int result = real.setreuid(real_uid, effective);
    identity_uid_changed(false);
    return result;
}

int call_setresuid(uid_t real_uid, uid_t effective, uid_t saved, const void *site) {
    (void)site;
    int result = real.setresuid(real_uid, effective, saved);
    identity_uid_changed(false);
    return result;
}

int call_setfsuid(uid_t uid, const void *site) {
    (void)site;
    int result = real.setfsuid(uid);
    identity_uid_changed(true);
    return result;
}
