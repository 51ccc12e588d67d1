/* Decided by the path alone: Composer installs packages into "vendor", Debian into /usr/share/php,
 * and some come as one archive that is run as it is. */
#include <stddef.h>
#include <string.h>

#include "shim/frames/folders.h"
#include "shim/frames/php.h"

#define DEBIAN "/usr/share/php/"
#define ARCHIVE "phar://"

/* Composer's vendors, folders of Debian's packages, and archives. */
static const char *const frameworks[] = {"phpunit*",  "PHPUnit", "SebastianBergmann", "pest*",
                                         "codecept*", "behat*",  "phpspec*",          NULL};

static enum pw_frame_of of_package(const char *below) {
    return path_is_of(below, frameworks) ? PW_FRAME_FRAMEWORK : PW_FRAME_DEPENDENCY;
}

/* "phar:///usr/local/bin/phpunit-9.phar/src/..." */
static enum pw_frame_of of_archive(const char *path) {
    const char *name = strstr(path, ".phar/");
    while (name != NULL && name > path && name[-1] != '/')
        name--;
    return name != NULL ? of_package(name) : PW_FRAME_DEPENDENCY;
}

enum pw_frame_of php_code_of(const char *path) {
    const char *installed = path_behind(path, "vendor");
    if (strncmp(path, ARCHIVE, strlen(ARCHIVE)) == 0)
        return of_archive(path);
    if (strncmp(path, DEBIAN, strlen(DEBIAN)) == 0)
        return of_package(path + strlen(DEBIAN));
    return installed != NULL ? of_package(installed) : PW_FRAME_USER;
}
