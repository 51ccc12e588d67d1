/* pytest finds plugins by what is installed in a folder of Python's path; nothing is named that a
 * Python which takes no folder from the environment would miss. */
#include "harness/run/pytest_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"

static const char *const folders[] = {"python", "../share/portwitness/python"};

char *pytest_plugin_find(void) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (unsigned i = 0; slash != NULL && i < sizeof folders / sizeof *folders; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - self), self, folders[i]);
        char *found = realpath(path, NULL);
        if (found != NULL && strchr(found, ':') == NULL)
            return found;
        free(found);
    }
    complain(NULL, "the plugin for pytest cannot be found: %s", strerror(errno));
    return NULL;
}

char *pytest_plugin_path(const char *present, const char *folder) {
    char *value = NULL;
    bool is_there = present != NULL && *present != '\0';
    if (asprintf(&value, "%s%s%s", is_there ? present : "", is_there ? ":" : "", folder) < 0)
        return NULL;
    return value;
}
