/* What changes the environment leaves no record; it is noted that the name of a test may stand
 * there now. The functions are none of those that may be called in a signal handler
 * (signal-safety(7)). */
#include "shim/process/environment_changes.h"
#include "shim/real.h"

static int end(int result) {
    environment_changes_end();
    return result;
}

int call_setenv(const char *name, const char *value, int overwrite, const void *site) {
    (void)site;
    environment_changes_begin();
    return end(real.setenv(name, value, overwrite));
}

int call_putenv(char *variable, const void *site) {
    (void)site;
    environment_changes_begin();
    return end(real.putenv(variable));
}

int call_unsetenv(const char *name, const void *site) {
    (void)site;
    environment_changes_begin();
    return end(real.unsetenv(name));
}

int call_clearenv(const void *site) {
    environment_changes_begin();
    (void)site;
    return end(real.clearenv());
}
