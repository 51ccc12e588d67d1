/* The kernel reads it from where it put the arguments. Where the last byte there is no NUL, it
 * takes the text for one that was set, and shows it up to its end (proc_pid_cmdline(5)). */
#include "harness/system/process_title.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/shared/raw_file.h"

enum { NAME_FIELD = 2, ARGUMENTS_FIELD = 48 }; /* of proc_pid_stat(5) */

void process_title_set(const char *title) {
    char stat[1024];
    raw_file_read_text("/proc/self/stat", stat, sizeof stat);
    char *at = strrchr(stat, ')'); /* a name may have blanks */
    for (unsigned field = NAME_FIELD; at != NULL && field < ARGUMENTS_FIELD; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return;
    char *begin = (char *)(uintptr_t)strtoull(at, &at, 10);
    char *end = (char *)(uintptr_t)strtoull(at, NULL, 10);
    size_t length = strlen(title);
    if (begin == NULL || end <= begin + 2)
        return;
    size_t room = (size_t)(end - begin) - 2;
    memset(begin, 0, (size_t)(end - begin));
    memcpy(begin, title, length < room ? length : room);
    end[-1] = '.';
}
